/* The steer lab: keeps the list of moves, and shows three texts as they grow.

   The moves stand in the form's hidden field as the address has them (`17=8`, `17+8`, `file:site*2`). Running an
   experiment puts its state into the address and reads `/api/steer` as server-sent events. All text enters by
   textContent; characters that would act are shown as signs by the server. */
(function () {
  "use strict";
  var form = document.getElementById("lab"), list = document.getElementById("moves");
  if (!form) return;
  var field = form.elements.moves, state = document.getElementById("state");
  var run = document.getElementById("run"), stop = document.getElementById("stop");
  var source = null;

  function written(number) { return String(Math.round(number * 100) / 100).replace("-", "−"); }
  function strength(item) {
    return Math.round(Number(item.querySelector("input[type=range]").value) * Number(item.dataset.unit) * 100) / 100;
  }
  function move(item) {
    var how = item.querySelector(".how");
    if (!how) return item.dataset.file + ":" + item.dataset.site + "*" + strength(item);
    return item.dataset.feature + (how.value === "clamp" ? "=" : "+") + strength(item);
  }
  function changed() {
    var items = Array.prototype.slice.call(list.querySelectorAll(".move"));
    items.forEach(function (item) { item.querySelector("output").textContent = written(strength(item)); });
    field.value = items.map(move).join(" ");
    document.getElementById("none").hidden = items.length > 0;
  }
  function address(more) {
    var kept = new URLSearchParams(new FormData(form));
    Object.keys(more || {}).forEach(function (key) { kept.set(key, more[key]); });
    return kept.toString();
  }
  /* A new move is a new line that the server draws, with the feature's name and its slider's unit. */
  function add(more) { location.assign(form.getAttribute("action") + "?" + address(more)); }

  list.addEventListener("input", changed);
  list.addEventListener("click", function (event) {
    if (event.target.classList.contains("drop")) { event.target.closest("li").remove(); changed(); }
  });
  document.getElementById("add").addEventListener("click", function () {
    var number = document.getElementById("number").value.trim();
    if (/^[0-9]{1,9}$/.test(number)) add({ feature: number });
  });
  document.getElementById("number").addEventListener("keydown", function (event) {
    if (event.key === "Enter") { event.preventDefault(); document.getElementById("add").click(); }
  });
  var vector = document.getElementById("vector");
  if (vector) vector.addEventListener("change", function () { if (vector.value) add({ moves: (field.value + " " + vector.value + "*1").trim() }); });

  function column(name) { return document.getElementById(name); }
  function show(texts) {
    Object.keys(texts).forEach(function (name) { column(name).querySelector(".grown").textContent = texts[name]; });
  }
  function ended(words) {
    if (source) source.close();
    source = null;
    run.hidden = false; stop.hidden = true;
    state.textContent = words;
  }
  function start() {
    if (source) source.close();
    changed();
    history.replaceState(null, "", "?" + address());
    document.querySelectorAll(".grown, .verdict").forEach(function (part) { part.textContent = ""; });
    run.hidden = true; stop.hidden = false;
    state.textContent = "Writing …";
    source = new EventSource("/api/steer?" + address());
    source.addEventListener("texts", function (event) { show(JSON.parse(event.data)); });
    source.addEventListener("judged", function (event) {
      var verdicts = JSON.parse(event.data);
      Object.keys(verdicts).forEach(function (name) { column(name).querySelector(".verdict").textContent = verdicts[name]; });
    });
    source.addEventListener("wrong", function (event) { ended(JSON.parse(event.data)); });
    source.addEventListener("done", function () { ended("Done. The address of this page is the experiment."); });
    source.onerror = function () { ended("The stream broke off; try again."); };
  }
  form.addEventListener("submit", function (event) { event.preventDefault(); start(); });
  stop.addEventListener("click", function () { ended("Stopped."); });
  changed();
})();
