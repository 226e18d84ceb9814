# What git does with git-credential-oauth: a public client whose redirect URI is
# loopback without a path and with whatever port is free.
set -eu
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export BROWSER=true # who reads what this prints opens the page
: >said
host=${ISSUER#http://}
git config --global credential.helper oauth
git config --global "credential.$ISSUER.oauthClientId" "$PUBLIC_ID"
git config --global "credential.$ISSUER.oauthScopes" 'openid offline_access me.read'
git config --global "credential.$ISSUER.oauthAuthURL" /session/authorize
git config --global "credential.$ISSUER.oauthTokenURL" /api/v4/session/oauth/token
printf 'protocol=http\nhost=%s\n\n' "$host" | git credential fill >filled 2>said &
while ! grep -q 'http.*/session/authorize' said; do
	kill -0 $! || { cat said; exit 1; }
	sleep 0.1
done
echo "OPEN $(grep -o 'http[^ ]*/session/authorize[^ ]*' said | head -1)"
wait $! || { cat said; exit 1; }
token=$(sed -n 's/^password=//p' filled)
curl -sf -H "Authorization: Bearer $token" "$ISSUER/api/me" | jq -e --arg name "$USERNAME" '.data.username == $name'
echo PASS
