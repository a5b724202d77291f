// Signing out of services in hidden frames: onward when each has loaded, or after a few seconds. Without scripts the page does it by time.
(function (d) {
  "use strict";
  var link = d.querySelector("a[data-onward]"), frames = d.querySelectorAll("iframe"), left = frames.length;
  function go() {
    if (link) location.replace(link.href);
    link = null;
  }
  if (!link) return;
  frames.forEach(function (frame) { frame.addEventListener("load", function () { left -= 1; if (!left) go(); }); });
  setTimeout(go, 4000);
})(document);
