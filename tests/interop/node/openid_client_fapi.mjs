// openid-client as FAPI 2.0 has it: private_key_jwt, a pushed request, DPoP with nonces. It speaks JSON lines with the test that drives the browser:
// first line in: {issuer, client_id, redirect_uri, scope, key}; out: {authorize};
// second line in: {callback}; out: {token_type, claims, userinfo, refreshed, introspection, after}.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const settings = await read()
const key = await crypto.subtle.importKey('jwk', settings.key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const config = await client.discovery(
  new URL(settings.issuer),
  settings.client_id,
  undefined,
  client.PrivateKeyJwt({ key, kid: settings.key.kid }),
  { execute: settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
)
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const parameters = {
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
}
// the library repeats token and resource requests by itself when a nonce is wanted, but not pushed ones
const push = () => client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
const url = await push().catch((error) => (client.isDPoPNonceError?.(error) || error.error === 'use_dpop_nonce' ? push() : Promise.reject(error)))
write({ authorize: url.href })

const { callback } = await read()
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks, undefined, { DPoP })
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP })
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
const again = await client.fetchUserInfo(config, refreshed.access_token, claims.sub, { DPoP })
const introspection = await client.tokenIntrospection(config, refreshed.access_token)
await client.tokenRevocation(config, tokens.refresh_token)
const after = await client.tokenIntrospection(config, refreshed.access_token)
write({
  token_type: tokens.token_type,
  thumbprint: await DPoP.calculateThumbprint(),
  claims,
  userinfo,
  again,
  kept: (refreshed.refresh_token ?? tokens.refresh_token) === tokens.refresh_token,
  introspection,
  after,
})
process.exit(0)
