// A single-page application as oidc-client-ts documents it. The address says who it is: /?issuer=…&client=…; the test calls `app` by hand.
const here = location.origin
const asked = new URLSearchParams(location.search)
if (asked.has('issuer')) {
  sessionStorage.setItem('settings', JSON.stringify(Object.fromEntries(asked)))
}
const settings = JSON.parse(sessionStorage.getItem('settings') ?? 'null')
const manager = new oidc.UserManager({
  authority: settings?.issuer ?? here,
  client_id: settings?.client ?? 'nobody',
  redirect_uri: `${here}/callback`,
  silent_redirect_uri: `${here}/callback`,
  post_logout_redirect_uri: `${here}/out`,
  scope: 'openid profile email',
  loadUserInfo: settings?.dpop !== 'yes', // the library reads userinfo by `Bearer` only; see read() below
  includeIdTokenInSilentRenew: true,
  automaticSilentRenew: settings?.automatic === 'yes',
  accessTokenExpiringNotificationTimeInSeconds: 295,
  monitorSession: settings?.monitor === 'yes',
  userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  ...(settings?.dpop === 'yes' ? { dpop: { bind_authorization_code: true, store: new oidc.IndexedDbDPoPStore() } } : {}),
})
const events = []
manager.events.addUserSignedOut(() => events.push('signed out'))
manager.events.addUserSessionChanged(() => events.push('session changed'))
manager.events.addSilentRenewError((error) => events.push(`not renewed: ${error.message}`))
manager.events.addUserLoaded(() => events.push('loaded'))

const shown = (user) =>
  user && { sub: user.profile.sub, sid: user.profile.sid, email: user.profile.email, access: user.access_token, refresh: user.refresh_token ?? null }
// Userinfo with a token that is bound to a key: a proof beside it (RFC 9449 §7.1).
const read = async () => {
  const user = await manager.getUser()
  const url = await manager.metadataService.getUserInfoEndpoint()
  const proof = await manager.dpopProof(url, user, 'GET')
  const answer = await fetch(url, { headers: { Authorization: `DPoP ${user.access_token}`, DPoP: proof } })
  return answer.json()
}
globalThis.app = {
  events,
  signIn: () => manager.signinRedirect(),
  renew: () => manager.signinSilent().then(shown, (refused) => ({ error: refused.error ?? refused.message })),
  read,
  user: async () => shown(await manager.getUser()),
  status: async () => manager.querySessionStatus(),
  revoke: () => manager.revokeTokens(),
  signOut: () => manager.signoutRedirect(),
}

const arrived = async () => {
  if (location.pathname !== '/callback') {
    return
  }
  const user = await manager.signinCallback()
  if (user) {
    history.replaceState({}, '', '/')
    document.querySelector('h1').textContent = 'Signed in'
  }
}
arrived().catch((error) => { document.querySelector('h1').textContent = `${error.name}: ${error.message}` })
