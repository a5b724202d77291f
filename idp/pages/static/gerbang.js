// Comfort only: every page works without it.
(function (d) {
  "use strict";
  // A page that only carries an answer onward sends itself.
  var carry = d.querySelector("form[data-carry]");
  if (carry) carry.submit();
  // Six digits send themselves, once.
  d.addEventListener("input", function (e) {
    var i = e.target, n = i.getAttribute("data-digits");
    if (!n || i.value.replace(/\D/g, "").length !== +n || i.form.sent) return;
    i.form.sent = true;
    i.form.requestSubmit ? i.form.requestSubmit() : i.form.submit();
  });
  // Look at the password that was typed; print a page.
  d.querySelectorAll("[data-show],[data-print]").forEach(function (b) {
    b.hidden = false;
    b.addEventListener("click", function () {
      if (b.hasAttribute("data-print")) return print();
      var i = d.getElementById(b.getAttribute("data-show")), s = i.type === "password";
      i.type = s ? "text" : "password";
      b.setAttribute("aria-pressed", s);
    });
  });
  // A page shown again by the back button may be sent again.
  addEventListener("pageshow", function () { d.querySelectorAll("form").forEach(function (f) { f.sent = false; }); });
})(document);
