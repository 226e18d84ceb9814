"""The ways in which Python programs present an API key, with requests.

Prints one line for each: what it is, and what came of it.
"""
import os

import requests

URL = os.environ["SERVER"] + "/api/me"
KEY, URL_KEY, EXPIRED, TOKEN = (os.environ[name] for name in ("KEY", "URL_KEY", "EXPIRED", "TOKEN"))


def show(way, answer):
    try:
        answer.raise_for_status()
        print(f"{way}: {answer.json()['data']['username']}")
    except requests.HTTPError as error:
        body = answer.json()
        assert body["code"] == answer.status_code == error.response.status_code, body
        assert answer.status_code != 401 or "ApiKey" in answer.headers["WWW-Authenticate"], answer.headers
        print(f"{way}: {answer.status_code} {body['message']}")


# The four, and Basic.
show("own header", requests.get(URL, headers={"x-api-key": KEY}, timeout=60))
show("bearer", requests.get(URL, headers={"Authorization": f"Bearer {KEY}"}, timeout=60))
show("query", requests.get(URL, params={"api_key": URL_KEY}, timeout=60))
with requests.Session() as session:
    session.headers.update({"X-API-KEY": KEY, "Accept": "application/json"})
    show("session", session.get(URL, timeout=60))
    show("session again", session.get(URL, timeout=60))
    show("session without a right", session.get(URL.replace("/api/me", "/api/me/sessions"), timeout=60))
show("basic", requests.get(URL, auth=("anybody", KEY), timeout=60))
show("basic without a name", requests.get(URL, auth=("", KEY), timeout=60))

# A wrong place, or a wrong kind.
show("query, not made for it", requests.get(URL, params={"apiKey": KEY}, timeout=60))
show("query, another name", requests.get(URL, params={"token": KEY}, timeout=60))
show("basic, the wrong way round", requests.get(URL, auth=(KEY, ""), timeout=60))
show("another scheme", requests.get(URL, headers={"Authorization": f"Token {KEY}"}, timeout=60))
show("a login's token", requests.get(URL, headers={"x-api-key": TOKEN}, timeout=60))
show("a login's token in the URL", requests.get(URL, params={"api_key": TOKEN}, timeout=60))
show("a typing error", requests.get(URL, headers={"x-api-key": KEY[:-1] + "-"}, timeout=60))
show("two keys", requests.get(URL, headers={"x-api-key": KEY}, params={"api_key": URL_KEY}, timeout=60))
show("expired", requests.get(URL, headers={"x-api-key": EXPIRED}, timeout=60))
