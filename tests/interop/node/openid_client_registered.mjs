// openid-client as an application that registers itself, and pushes its request as a signed object. JSON lines with the test:
// first line in: {issuer, redirect_uri, token}, an initial access token; out: the registration, read back at its own address;
// then any number of pairs: {scope}, out: {authorize}; {callback}, out: {claims, userinfo}.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const settings = await read()
const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
const key = { key: pair.privateKey, kid: 'k-1' }
const config = await client.dynamicClientRegistration(
  new URL(settings.issuer),
  {
    client_name: 'Uji openid-client',
    redirect_uris: [settings.redirect_uri],
    policy_uri: new URL('/privasi', settings.redirect_uri).href,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code', 'refresh_token'],
    request_object_signing_alg: 'ES256',
    jwks: { keys: [{ kty, crv, x, y, kid: 'k-1', use: 'sig', alg: 'ES256' }] },
  },
  client.PrivateKeyJwt(key),
  { initialAccessToken: settings.token, execute: settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
)
const registered = config.clientMetadata()
const answer = await fetch(registered.registration_client_uri, { headers: { authorization: `Bearer ${registered.registration_access_token}` } })
write(await answer.json())

for (;;) {
  const { scope } = await read()
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const { searchParams } = await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: settings.redirect_uri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }, key)
  write({ authorize: (await client.buildAuthorizationUrlWithPAR(config, searchParams)).href })
  const { callback } = await read()
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks)
  write({ claims: tokens.claims(), userinfo: await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub) })
}
