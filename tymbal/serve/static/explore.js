/* The list of features in an exported atlas: filters, sorts, searches and turns pages without a server.

   Columns come from data/features.js. The state stands in the fragment under the names the live app uses in its
   query. Rows are copies of the template that the server drew; text enters by textContent only. */
(function () {
  "use strict";
  var ROWS = 50;
  var data = window.tymbal && window.tymbal.data && window.tymbal.data.features;
  var form = document.querySelector("form.sift");
  var body = document.getElementById("rows");
  var template = document.getElementById("row");
  if (!data || !form || !template) return;

  var heads = Array.prototype.slice.call(document.querySelectorAll("th[data-column]"));
  var haystack = data.feature.map(function (_, i) {
    return (data.label[i] + "\n" + data.tokens[i] + "\n" + (data.concept[i] || "") + "\n" + (data.explanation[i] || "")).toLowerCase();
  });
  var usual = { q: "", min: "", max: "", show: "alive", cluster: "", sort: "density", dir: "", page: "1" };

  function read() {
    var state = Object.assign({}, usual);
    new URLSearchParams(location.hash.slice(1)).forEach(function (value, key) { if (key in usual) state[key] = value; });
    if (!data[state.sort]) state.sort = usual.sort;
    if (state.dir !== "asc" && state.dir !== "desc") state.dir = firstWay(state.sort);
    return state;
  }
  function firstWay(column) {
    var link = document.querySelector('th[data-column="' + column + '"] a');
    return (link && link.dataset.first) || "desc";
  }
  function address(state) {
    var kept = new URLSearchParams();
    Object.keys(usual).forEach(function (key) { if (state[key] && state[key] !== usual[key]) kept.set(key, state[key]); });
    return "#" + kept.toString();
  }

  function sifted(state) {
    var words = state.q.trim().toLowerCase(), found = [];
    for (var i = 0; i < data.feature.length; i++) {
      if (state.show !== "all" && data.dead[i] !== Number(state.show === "dead")) continue;
      if (state.min && data.density[i] < Number(state.min)) continue;
      if (state.max && data.density[i] > Number(state.max)) continue;
      if (state.cluster && String(data.cluster[i]) !== state.cluster) continue;
      if (words && haystack[i].indexOf(words) < 0) continue;
      found.push(i);
    }
    var column = data[state.sort], sign = state.dir === "desc" ? -1 : 1;
    return found.sort(function (a, b) {
      var one = column[a], two = column[b];
      if (one === two) return a - b;
      if (one === null) return 1;
      if (two === null) return -1;
      return (one < two ? -1 : 1) * sign;
    });
  }

  function row(i) {
    var copy = template.content.cloneNode(true);
    var link = copy.querySelector("a.label");
    link.setAttribute("href", link.getAttribute("href").replace("0.html", data.feature[i] + ".html"));
    copy.querySelectorAll("[data-field]").forEach(function (cell) {
      var name = cell.dataset.field, written = data.written[name];
      var value = written ? written[i] : data[name][i];
      cell.textContent = value === null ? "" : value;
    });
    if (!data.label[i]) link.textContent = "feature " + data.feature[i];
    return copy;
  }

  function turn(id, state, page, last) {
    var link = document.getElementById(id);
    link.hidden = page < 1 || page > last;
    link.setAttribute("href", address(Object.assign({}, state, { page: String(page) })));
  }

  function show() {
    var state = read(), found = sifted(state);
    var last = Math.max(Math.ceil(found.length / ROWS), 1);
    var page = Math.min(Math.max(parseInt(state.page, 10) || 1, 1), last);
    var from = (page - 1) * ROWS, some = found.slice(from, from + ROWS);
    body.replaceChildren.apply(body, some.map(row));
    document.getElementById("tally").textContent = found.length
      ? (from + 1).toLocaleString("en") + "–" + (from + some.length).toLocaleString("en") + " of " + found.length.toLocaleString("en") + " features"
      : "No feature is like that.";
    document.getElementById("leaf").textContent = "page " + page + " of " + last;
    turn("back", state, page - 1, last);
    turn("on", state, page + 1, last);
    Object.keys(usual).forEach(function (key) {
      var field = form.elements[key];
      if (field && field !== document.activeElement) field.value = state[key];
    });
    heads.forEach(function (head) { mark(head, state); });
  }
  function mark(head, state) {
    var column = head.dataset.column, link = head.querySelector("a"), chosen = column === state.sort;
    var next = chosen ? (state.dir === "desc" ? "asc" : "desc") : link.dataset.first;
    if (chosen) head.setAttribute("aria-sort", state.dir === "desc" ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
    head.querySelector(".way").textContent = chosen ? (state.dir === "desc" ? " ↓" : " ↑") : "";
    link.setAttribute("href", address(Object.assign({}, state, { sort: column, dir: next, page: "1" })));
  }

  function changed(event) {
    var state = { page: "1" };
    Object.keys(usual).forEach(function (key) { if (form.elements[key]) state[key] = form.elements[key].value; });
    if (event.target.name === "sort") state.dir = firstWay(state.sort);
    history.replaceState(null, "", address(state));
    show();
  }
  form.addEventListener("submit", function (event) { event.preventDefault(); changed(event); });
  form.addEventListener("input", changed);
  window.addEventListener("hashchange", show);
  show();
})();
