"""JupyterHub behind GenericOAuthenticator, as its documentation has it; what differs from test to test stands in the environment."""

import os

c = get_config()  # noqa: F821 - JupyterHub gives it
issuer, origin = os.environ["ISSUER"], os.environ["ORIGIN"]

c.JupyterHub.bind_url = origin
c.JupyterHub.hub_port = int(os.environ["HUB_PORT"])
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['PROXY_PORT']}"
c.ConfigurableHTTPProxy.command = ["node", os.environ["PROXY"]]
c.JupyterHub.default_url = "/hub/home"
c.JupyterHub.authenticator_class = "generic-oauth"
c.GenericOAuthenticator.client_id = os.environ["CLIENT_ID"]
c.GenericOAuthenticator.client_secret = os.environ["CLIENT_SECRET"]
c.GenericOAuthenticator.basic_auth = True  # the default sends the secret in the form: then register client_secret_post
c.GenericOAuthenticator.authorize_url = f"{issuer}/authorize"
c.GenericOAuthenticator.token_url = f"{issuer}/token"
c.GenericOAuthenticator.userdata_url = f"{issuer}/userinfo"
c.GenericOAuthenticator.oauth_callback_url = f"{origin}/hub/oauth_callback"
c.GenericOAuthenticator.logout_redirect_url = f"{issuer}/logout"
c.GenericOAuthenticator.scope = ["openid", "email"]
c.GenericOAuthenticator.username_claim = "email"
c.GenericOAuthenticator.allow_all = True
c.GenericOAuthenticator.auto_login = True
c.GenericOAuthenticator.enable_auth_state = True
c.GenericOAuthenticator.auth_refresh_age = 1
