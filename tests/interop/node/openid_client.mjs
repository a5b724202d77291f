// One journey of openid-client: discover, ask, exchange, refresh, read, sign out. It speaks JSON lines with the test that drives the browser's part:
// first line in: {issuer, client_id, client_secret, redirect_uri, post_logout_redirect_uri, scope}; out: {authorize};
// second line in: {callback}; out: {claims, userinfo, refreshed, end_session}.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const write = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const settings = await read()
const config = await client.discovery(
  new URL(settings.issuer),
  settings.client_id,
  undefined,
  client.ClientSecretBasic(settings.client_secret),
  { execute: settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
)
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
write({
  authorize: client.buildAuthorizationUrl(config, {
    redirect_uri: settings.redirect_uri,
    scope: settings.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }).href,
})

const { callback } = await read()
const tokens = await client.authorizationCodeGrant(config, new URL(callback), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const again = await client.fetchUserInfo(config, refreshed.access_token, claims.sub)
write({
  claims,
  userinfo,
  again,
  refreshed: { rotated: refreshed.refresh_token !== tokens.refresh_token, sub: refreshed.claims()?.sub ?? null },
  end_session: client.buildEndSessionUrl(config, {
    id_token_hint: refreshed.id_token ?? tokens.id_token,
    post_logout_redirect_uri: settings.post_logout_redirect_uri,
    state: 'signed-out',
  }).href,
})
process.exit(0)
