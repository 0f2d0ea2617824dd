/* Left and right arrows turn to the previous and the next feature, unless the reader is typing or scrolling a table. */
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    var turn = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    var link = turn && document.querySelector('a[rel="' + turn + '"]');
    if (link) link.click();
  });
})();
