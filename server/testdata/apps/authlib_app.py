# What a Python program with Authlib does: code with PKCE by a client that
# authenticates with Basic, userinfo, refresh, introspection, revocation.
import http.server
import os

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP on loopback
issuer, port = os.environ["ISSUER"], int(os.environ["PORT"])


class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.back = f"http://127.0.0.1:{port}{self.path}"
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", port), Callback)
app = OAuth2Session(
    os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"],
    scope="openid profile offline_access", redirect_uri=f"http://127.0.0.1:{port}/callback",
    code_challenge_method="S256",
)
meta = app.request("GET", issuer + "/.well-known/openid-configuration", withhold_token=True).json()
verifier = generate_token(48)
url, state = app.create_authorization_url(meta["authorization_endpoint"], code_verifier=verifier, nonce="a nonce")
print("OPEN", url, flush=True)
server.handle_request()

first = app.fetch_token(meta["token_endpoint"], authorization_response=server.back, state=state, code_verifier=verifier)
assert first["refresh_token"] and first["id_token"] and first["expires_in"] == 3600, first
user = app.get(meta["userinfo_endpoint"])
user.raise_for_status()
assert user.json()["preferred_username"] == os.environ["USERNAME"], user.text
second = app.refresh_token(meta["token_endpoint"], refresh_token=first["refresh_token"])
assert second["refresh_token"] != first["refresh_token"]
live = app.introspect_token(meta["introspection_endpoint"], token=second["access_token"])
assert live.json()["active"] is True, live.text
assert app.revoke_token(meta["revocation_endpoint"], token=second["refresh_token"]).status_code == 200
dead = app.introspect_token(meta["introspection_endpoint"], token=second["access_token"])
assert dead.json() == {"active": False}, dead.text
assert app.get(meta["userinfo_endpoint"]).status_code == 401
print("PASS")
