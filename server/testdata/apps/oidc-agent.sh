# What somebody on a machine without a browser does: oidc-agent by the device
# grant, then an access token for a program.
set -eu
export HOME=$PWD
eval "$(oidc-agent)" >/dev/null
trap 'kill "$OIDCD_PID"' EXIT
oidc-gen --flow=device --manual --no-url-call --pw-cmd='echo pass' --confirm-yes \
	--iss="$ISSUER/" --client-id="$PUBLIC_ID" --client-secret= --redirect-uri= \
	--scope='openid profile offline_access me.read' demo 2>&1 |
	awk '/^http/ { page = $1 } /enter the code/ { print "OPEN " page "?user_code=" $NF; fflush() } /success|rror/'
token=$(oidc-token demo)
curl -sf -H "Authorization: Bearer $token" "$ISSUER/api/me" | jq -e --arg name "$USERNAME" '.data.username == $name'
fresh=$(oidc-token --time=4000 demo) # longer than it lives: a new one
[ "$fresh" != "$token" ]
curl -sf -H "Authorization: Bearer $fresh" "$ISSUER/api/v4/session/oauth/userinfo" | jq -e --arg name "$USERNAME" '.preferred_username == $name'
echo PASS
