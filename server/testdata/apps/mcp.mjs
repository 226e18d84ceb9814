// What a program of the Model Context Protocol does: it finds the server by its
// metadata, is a public client, and names the resource it wants a token for.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { auth, discoverAuthorizationServerMetadata } from '@modelcontextprotocol/sdk/client/auth.js'

const env = process.env
const saved = {}
const provider = {
  redirectUrl: `http://127.0.0.1:${env.PORT}/callback`,
  clientMetadata: { client_name: 'mcp', redirect_uris: [`http://127.0.0.1:${env.PORT}/callback`], token_endpoint_auth_method: 'none' },
  clientInformation: () => ({ client_id: env.PUBLIC_ID }),
  tokens: () => saved.tokens,
  saveTokens: (tokens) => { saved.tokens = tokens },
  redirectToAuthorization: (url) => { saved.url = url; console.log(`OPEN ${url}`) },
  saveCodeVerifier: (verifier) => { saved.verifier = verifier },
  codeVerifier: () => saved.verifier,
  state: () => 'a state',
  validateResourceURL: async () => new URL(env.RESOURCE),
}

const metadata = await discoverAuthorizationServerMetadata(env.ISSUER)
assert.equal(metadata.issuer, env.ISSUER)
assert.ok(metadata.code_challenge_methods_supported.includes('S256'))

const server = createServer()
server.listen(Number(env.PORT), '127.0.0.1')
await once(server, 'listening')
const options = { serverUrl: env.ISSUER, scope: 'openid offline_access me.read' }
assert.equal(await auth(provider, options), 'REDIRECT')
assert.equal(saved.url.searchParams.get('resource'), env.RESOURCE)
const [request, response] = await once(server, 'request')
response.setHeader('Connection', 'close')
response.end('signed in')
server.close()
const back = new URL(request.url, env.ISSUER).searchParams
assert.equal(back.get('state'), 'a state')
assert.equal(await auth(provider, { ...options, authorizationCode: back.get('code') }), 'AUTHORIZED')
const first = saved.tokens
assert.ok(first.access_token && first.refresh_token)
assert.equal(await auth(provider, options), 'AUTHORIZED') // refreshes
assert.notEqual(saved.tokens.refresh_token, first.refresh_token)
const me = await fetch(`${env.ISSUER}/api/me`, { headers: { Authorization: `Bearer ${saved.tokens.access_token}` } })
assert.equal(me.status, 200)
console.log('PASS')
