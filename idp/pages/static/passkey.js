// Passkeys (WebAuthn): the form asks the device before it is sent, and carries its answer.
(function (d) {
  "use strict";
  var form = d.querySelector("form[data-passkey]"), busy = false;
  if (!form) return;
  function show(name, on) {
    var element = d.querySelector("[data-passkey-" + name + "]");
    if (element) element.hidden = !on;
  }
  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (c) { return c.charCodeAt(0); });
  }
  function text(buffer) {
    if (!buffer) return undefined;
    var s = Array.from(new Uint8Array(buffer), function (b) { return String.fromCharCode(b); }).join("");
    return btoa(s).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function options() {
    var o = JSON.parse(form.getAttribute("data-options"));
    o.challenge = bytes(o.challenge);
    if (o.user) o.user.id = bytes(o.user.id);
    (o.excludeCredentials || o.allowCredentials).forEach(function (key) {
      key.id = bytes(key.id);
      if (!key.transports.length) delete key.transports;
    });
    return {publicKey: o};
  }
  function answer(key) {
    var r = key.response;
    return JSON.stringify({
      id: key.id, rawId: text(key.rawId), type: key.type, authenticatorAttachment: key.authenticatorAttachment || undefined,
      response: {
        clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), authenticatorData: text(r.attestationObject ? null : r.authenticatorData),
        signature: text(r.signature), userHandle: text(r.userHandle), transports: r.getTransports ? r.getTransports() : undefined
      }
    });
  }
  if (!window.PublicKeyCredential || !navigator.credentials) return show("none", true);
  form.hidden = false;
  form.addEventListener("submit", function (e) {
    e.preventDefault();
    if (busy) return;
    busy = true;
    show("failed", false);
    var create = form.getAttribute("data-passkey") === "create";
    (create ? navigator.credentials.create(options()) : navigator.credentials.get(options())).then(function (key) {
      form.elements.answer.value = answer(key);
      form.submit();
    }).catch(function () { busy = false; show("failed", true); });
  });
  addEventListener("pageshow", function () { busy = false; });
})(document);
