// OpenID Connect Session Management 1.0 §3.2: answers "unchanged", "changed" or "error" to "client_id session_state".
(function () {
  "use strict";
  function state() {
    var found = /(?:^|; )(?:__Host-)?gerbang_state=([^;]*)/.exec(document.cookie);
    return found ? found[1] : "";
  }
  addEventListener("message", function (e) {
    if (typeof e.data !== "string" || !e.source || e.origin === "null") return;
    var parts = e.data.split(" "), salt = (parts[1] || "").split(".")[1];
    function say(word) { e.source.postMessage(word, e.origin); }
    if (parts.length !== 2 || !parts[0] || !salt || !window.crypto || !crypto.subtle) return say("error");
    var text = [parts[0], e.origin, state(), salt].join(" ");
    crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)).then(function (digest) {
      var hex = Array.from(new Uint8Array(digest), function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
      say(hex + "." + salt === parts[1] ? "unchanged" : "changed");
    });
  });
})();
