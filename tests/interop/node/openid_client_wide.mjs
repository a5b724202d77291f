// openid-client with answers that only it can read: signed authorization answers (JARM), encrypted ID token and userinfo, signed introspection
// answers, the device flow and CIBA. JSON lines with the test that drives the browser:
// first line in: {issuer, client_id, client_secret, metadata, redirect_uri, scope, key}; out: {authorize};
// second line in: {callback}; out: {claims, encrypted, userinfo, introspection, after};
// third line in: {scope}; out: the device authorization; then, when the browser is done, out: {claims, userinfo};
// fourth line in: {scope, login_hint, binding_message} of a counter (CIBA); out: its answer; then, when the citizen answered, out: {claims, userinfo}.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const settings = await read()
const key = await crypto.subtle.importKey('jwk', settings.key, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
const config = await client.discovery(
  new URL(settings.issuer),
  settings.client_id,
  settings.metadata,
  client.ClientSecretPost(settings.client_secret),
  { execute: settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
)
client.useJwtResponseMode(config)
client.enableNonRepudiationChecks(config)
client.enableDecryptingResponses(config, ['A256GCM'], { key, alg: 'ECDH-ES', kid: settings.key.kid })
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
write({ authorize: url.href })

const { callback } = await read()
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks)
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const introspection = await client.tokenIntrospection(config, tokens.access_token)
await client.tokenRevocation(config, tokens.refresh_token)
const after = await client.tokenIntrospection(config, tokens.access_token)
write({ claims, encrypted: tokens.id_token.split('.').length, userinfo, introspection, after })

const begun = await client.initiateDeviceAuthorization(config, { scope: (await read()).scope })
write(begun)
const device = await client.pollDeviceAuthorizationGrant(config, begun)
write({ claims: device.claims(), userinfo: await client.fetchUserInfo(config, device.access_token, device.claims().sub) })

const named = await client.initiateBackchannelAuthentication(config, await read())
write(named)
const counter = await client.pollBackchannelAuthenticationGrant(config, named)
write({ claims: counter.claims(), userinfo: await client.fetchUserInfo(config, counter.access_token, counter.claims().sub) })
process.exit(0)
