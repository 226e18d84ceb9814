// What a web app with a secret does: code with PKCE, id_token, userinfo,
// refresh, introspection, revocation. Then a device without a browser.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import * as oidc from 'openid-client'

const env = process.env
const insecure = { execute: [oidc.allowInsecureRequests] } // plain HTTP on loopback
const open = (url) => console.log(`OPEN ${url}`)

const config = await oidc.discovery(new URL(env.ISSUER), env.CLIENT_ID, env.CLIENT_SECRET, oidc.ClientSecretBasic(env.CLIENT_SECRET), insecure)
const server = createServer()
server.listen(Number(env.PORT), '127.0.0.1')
await once(server, 'listening')

const verifier = oidc.randomPKCECodeVerifier()
const state = oidc.randomState()
const nonce = oidc.randomNonce()
open(oidc.buildAuthorizationUrl(config, {
  redirect_uri: `http://127.0.0.1:${env.PORT}/callback`,
  scope: 'openid profile email offline_access me.read',
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
}))
const [request, response] = await once(server, 'request')
response.setHeader('Connection', 'close')
response.end('signed in')
server.close()

const back = new URL(request.url, `http://127.0.0.1:${env.PORT}`)
assert.equal(back.searchParams.get('iss'), env.ISSUER)
const tokens = await oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce })
const claims = tokens.claims()
assert.equal(claims.aud, env.CLIENT_ID)
assert.ok(claims.auth_time && claims.at_hash && claims.sub)
await assert.rejects(oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: state, expectedNonce: 'x' }))
console.log('code, PKCE, id_token')

// The second use of the code ended what the first one gave: sign in again by the
// device grant is not needed, a new code is.
await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, claims.sub))
console.log('a code that is used twice ends its tokens')

const again = await codeAgain()
const user = await oidc.fetchUserInfo(config, again.access_token, claims.sub)
assert.equal(user.preferred_username, env.USERNAME)
assert.equal((await oidc.tokenIntrospection(config, again.access_token)).active, true)
const next = await oidc.refreshTokenGrant(config, again.refresh_token)
assert.notEqual(next.refresh_token, again.refresh_token)
assert.equal((await oidc.fetchUserInfo(config, next.access_token, claims.sub)).sub, claims.sub)
await oidc.tokenRevocation(config, next.refresh_token)
await assert.rejects(oidc.fetchUserInfo(config, next.access_token, claims.sub))
assert.equal((await oidc.tokenIntrospection(config, next.access_token)).active, false)
await assert.rejects(oidc.refreshTokenGrant(config, next.refresh_token))
console.log('userinfo, refresh, introspection, revocation')

const device = await oidc.discovery(new URL(env.ISSUER), env.PUBLIC_ID, undefined, oidc.None(), insecure)
const asked = await oidc.initiateDeviceAuthorization(device, { scope: 'openid offline_access' })
assert.match(asked.verification_uri_complete, /user_code=/)
open(asked.verification_uri_complete)
const given = await oidc.pollDeviceAuthorizationGrant(device, asked)
assert.equal(given.claims().sub, claims.sub)
await assert.rejects(oidc.pollDeviceAuthorizationGrant(device, { ...asked, interval: 0 }))
console.log('device grant')
console.log('PASS')

async function codeAgain() {
  const listener = createServer()
  listener.listen(Number(env.PORT), '127.0.0.1')
  await once(listener, 'listening')
  const v = oidc.randomPKCECodeVerifier()
  open(oidc.buildAuthorizationUrl(config, {
    redirect_uri: `http://127.0.0.1:${env.PORT}/callback`,
    scope: 'openid profile email offline_access me.read',
    code_challenge: await oidc.calculatePKCECodeChallenge(v),
    code_challenge_method: 'S256',
    state,
  }))
  const [req, res] = await once(listener, 'request')
  res.setHeader('Connection', 'close')
  res.end('signed in')
  listener.close()
  return oidc.authorizationCodeGrant(config, new URL(req.url, `http://127.0.0.1:${env.PORT}`), { pkceCodeVerifier: v, expectedState: state })
}
