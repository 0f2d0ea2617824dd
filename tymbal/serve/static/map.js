/* The map: up to some 100,000 dots, panned, zoomed and pointed at.

   Dots are written into a pixel buffer by a small stamp, which takes about ten milliseconds for 100,000 of them
   without any graphics card; labels are drawn on top. A grid of cells finds the dot under the pointer.
   Coordinates: "plane" units run from 0 to 65535 (data/map.js); screen units are device pixels. */
(function () {
  "use strict";
  var data = window.tymbal && window.tymbal.data && window.tymbal.data.map;
  var box = document.getElementById("map");
  if (!data || !box) return;
  var canvas = document.getElementById("plane"), pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  var hover = document.getElementById("hover"), hoverLabel = document.getElementById("hover-label");
  var hoverNote = document.getElementById("hover-note"), lit = document.getElementById("lit");
  var find = document.getElementById("find");
  var count = data.feature.length, STEPS = 65536, CELLS = 256, MOST_LABELS = 40;

  /* ---- a grid over the plane: dots of each cell in one array, cell after cell */
  var cellOf = new Uint16Array(count), starts = new Uint32Array(CELLS * CELLS + 1), order = new Uint32Array(count);
  (function index() {
    var i;
    for (i = 0; i < count; i++) {
      cellOf[i] = (data.y[i] >> 8) * CELLS + (data.x[i] >> 8);
      starts[cellOf[i] + 1]++;
    }
    for (i = 0; i < CELLS * CELLS; i++) starts[i + 1] += starts[i];
    var next = starts.slice();
    for (i = 0; i < count; i++) order[next[cellOf[i]]++] = i;
  })();
  var xs = Float64Array.from(data.x), ys = Float64Array.from(data.y), colour = Int8Array.from(data.colour);

  /* ---- view: screen = plane * scale + shift */
  var ratio = 1, width = 0, height = 0, scale = 1, shiftX = 0, shiftY = 0, fit = 1;
  var middleX = 0, middleY = 0, spanX = 1, spanY = 1;
  (function extent() {
    var left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
    for (var i = 0; i < count; i++) {
      left = Math.min(left, xs[i]); right = Math.max(right, xs[i]);
      low = Math.min(low, ys[i]); high = Math.max(high, ys[i]);
    }
    if (!count) { left = low = 0; right = high = STEPS; }
    middleX = (left + right) / 2; middleY = (low + high) / 2;
    spanX = Math.max(right - left, 1); spanY = Math.max(high - low, 1);
  })();
  function whole() {
    fit = 0.9 * Math.min(width / spanX, height / spanY);
    scale = fit;
    shiftX = width / 2 - middleX * scale;
    shiftY = height / 2 - middleY * scale;
  }
  function zoom(factor, x, y) {
    var wanted = Math.min(Math.max(scale * factor, fit / 2), fit * 400);
    factor = wanted / scale;
    shiftX = x - (x - shiftX) * factor;
    shiftY = y - (y - shiftY) * factor;
    scale = wanted;
    redraw();
  }
  function centre(i, closer) {
    scale = Math.max(scale, fit * closer);
    shiftX = width / 2 - xs[i] * scale;
    shiftY = height / 2 - ys[i] * scale;
  }

  /* ---- colours come from app.css, so that light and dark follow the reader */
  var paper, ink, quiet, accent, inks;
  function hex(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  function parts(text) {
    return [parseInt(text.slice(1, 3), 16), parseInt(text.slice(3, 5), 16), parseInt(text.slice(5, 7), 16)];
  }
  function dress() {
    paper = hex("--paper"); ink = hex("--ink"); quiet = hex("--quiet"); accent = hex("--accent");
    inks = [];
    for (var i = 0; i < 10; i++) inks.push(parts(hex("--c" + i)));
    inks.push(parts(hex("--cnone")), parts(accent));
  }
  var NONE = 10, LIT = 11;

  /* ---- a dot as a small square of coverages from 0 to 256 */
  function stamp(radius) {
    var reach = Math.ceil(radius), side = 2 * reach + 1, cover = new Uint16Array(side * side);
    for (var y = -reach; y <= reach; y++) {
      for (var x = -reach; x <= reach; x++) {
        var edge = radius + 0.5 - Math.sqrt(x * x + y * y);
        cover[(y + reach) * side + x + reach] = Math.round(256 * Math.min(Math.max(edge, 0), 1));
      }
    }
    return { reach: reach, side: side, cover: cover };
  }
  var image = null, pixels = null, matches = null;
  function press(mark, i, rgb) {
    var px = Math.round(xs[i] * scale + shiftX), py = Math.round(ys[i] * scale + shiftY), reach = mark.reach;
    if (px < reach || py < reach || px >= width - reach || py >= height - reach) return;
    var red = rgb[0], green = rgb[1], blue = rgb[2], cover = mark.cover, side = mark.side, at = 0;
    for (var y = 0; y < side; y++) {
      var pixel = (py - reach + y) * width + px - reach;
      for (var x = 0; x < side; x++, pixel++, at++) {
        var share = cover[at];
        if (!share) continue;
        if (share === 256) { pixels[pixel] = 0xff000000 | (blue << 16) | (green << 8) | red; continue; }
        var under = pixels[pixel], rest = 256 - share;
        pixels[pixel] = 0xff000000 |
          ((((under >> 16) & 255) * rest + blue * share) >> 8) << 16 |
          ((((under >> 8) & 255) * rest + green * share) >> 8) << 8 |
          (((under & 255) * rest + red * share) >> 8);
      }
    }
  }
  function radius() {
    var base = Math.min(Math.max(150 / Math.sqrt(count || 1), 0.9), 3);
    return ratio * Math.min(base * Math.pow(scale / fit, 0.35), 6);
  }
  function draw() {
    waiting = false;
    if (!width || !height) return;
    var back = parts(paper), mark = stamp(radius()), i;
    pixels.fill((0xff000000 | (back[2] << 16) | (back[1] << 8) | back[0]) >>> 0);
    for (i = 0; i < count; i++) {
      if (!matches) press(mark, i, inks[colour[i] < 0 ? NONE : colour[i]]);
      else if (!matches[i]) press(mark, i, inks[NONE]);
    }
    if (matches) {
      var strong = stamp(radius() + ratio);
      for (i = 0; i < count; i++) if (matches[i]) press(strong, i, inks[LIT]);
    }
    pen.putImageData(image, 0, 0);
    names();
    if (chosen >= 0) ring(chosen);
    if (keyboard) cross();
  }
  var waiting = false;
  function redraw() {
    if (!waiting) { waiting = true; requestAnimationFrame(draw); }
  }
  function ring(i) {
    pen.beginPath();
    pen.arc(xs[i] * scale + shiftX, ys[i] * scale + shiftY, radius() + 4 * ratio, 0, 2 * Math.PI);
    pen.lineWidth = 2 * ratio; pen.strokeStyle = ink; pen.stroke();
  }
  function cross() {
    var x = width / 2, y = height / 2, arm = 8 * ratio;
    pen.beginPath();
    pen.moveTo(x - arm, y); pen.lineTo(x + arm, y); pen.moveTo(x, y - arm); pen.lineTo(x, y + arm);
    pen.lineWidth = ratio; pen.strokeStyle = accent; pen.stroke();
  }

  /* ---- names of clusters, the largest first; a name that would lie on another is left out */
  function names() {
    var size = 12 * ratio, taken = [], written = 0;
    pen.font = "600 " + size + "px 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif";
    pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
    for (var i = 0; i < data.clusters.length && written < MOST_LABELS; i++) {
      var cluster = data.clusters[i], x = cluster.x * scale + shiftX, y = cluster.y * scale + shiftY;
      if (!cluster.label || x < 0 || y < 0 || x > width || y > height) continue;
      var half = pen.measureText(cluster.label).width / 2 + 6 * ratio, clash = false;
      if (x - half < 0 || x + half > width) x = Math.min(Math.max(x, half), Math.max(width - half, half));
      for (var j = 0; j < taken.length && !clash; j++) {
        clash = Math.abs(taken[j][0] - x) < taken[j][1] + half && Math.abs(taken[j][2] - y) < 1.5 * size;
      }
      if (clash) continue;
      taken.push([x, half, y]); written++;
      pen.lineWidth = 4 * ratio; pen.strokeStyle = paper; pen.strokeText(cluster.label, x, y);
      pen.fillStyle = ink; pen.fillText(cluster.label, x, y);
    }
  }

  /* ---- which dot is at a place on the screen */
  function nearest(x, y, within) {
    var px = (x - shiftX) / scale, py = (y - shiftY) / scale, reach = within / scale;
    var best = -1, closest = reach * reach;
    function cell(value) { return Math.min(Math.max(Math.floor(value / 256), 0), CELLS - 1); }
    for (var row = cell(py - reach); row <= cell(py + reach); row++) {
      for (var column = cell(px - reach); column <= cell(px + reach); column++) {
        var at = row * CELLS + column;
        for (var k = starts[at]; k < starts[at + 1]; k++) {
          var i = order[k], dx = xs[i] - px, dy = ys[i] - py, far = dx * dx + dy * dy;
          if (far <= closest) { closest = far; best = i; }
        }
      }
    }
    return best;
  }
  var chosen = -1, keyboard = false;
  function point(i, note) {
    if (i !== chosen) { chosen = i; redraw(); }
    canvas.classList.toggle("over-point", i >= 0);
    hover.hidden = i < 0;
    if (i < 0) return;
    hoverLabel.textContent = data.label[i] || "feature " + data.feature[i];
    hoverNote.textContent = "feature " + data.feature[i] + " · fires on " + data.density[i] + " of tokens" + (note || "");
    var x = (xs[i] * scale + shiftX) / ratio, y = (ys[i] * scale + shiftY) / ratio;
    var room = box.clientWidth - hover.offsetWidth - 4, up = y - hover.offsetHeight - 14;
    hover.style.transform = "translate(" + Math.round(Math.max(Math.min(x + 12, room), 4)) + "px," +
      Math.round(up > 4 ? up : y + 14) + "px)";
  }
  function open(i) {
    if (i >= 0) location.href = box.dataset.feature.replace("NUMBER", data.feature[i]);
  }

  /* ---- pointer: drag moves, two fingers pinch, a click opens; a finger points first and opens on the second tap */
  var held = new Map(), moved = 0;
  function place(event) {
    var frame = canvas.getBoundingClientRect();
    return { x: (event.clientX - frame.left) * ratio, y: (event.clientY - frame.top) * ratio };
  }
  function grip() {
    var all = Array.from(held.values()), x = 0, y = 0;
    all.forEach(function (one) { x += one.x / all.length; y += one.y / all.length; });
    return { x: x, y: y, wide: all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0 };
  }
  canvas.addEventListener("pointerdown", function (event) {
    canvas.setPointerCapture(event.pointerId);
    if (!held.size) moved = 0;
    held.set(event.pointerId, place(event));
    canvas.classList.add("held");
    keyboard = false;
  });
  canvas.addEventListener("pointermove", function (event) {
    var here = place(event);
    if (!held.has(event.pointerId)) {
      if (event.pointerType !== "touch") point(nearest(here.x, here.y, 12 * ratio));
      return;
    }
    var before = grip();
    held.set(event.pointerId, here);
    var after = grip();
    moved += Math.hypot(after.x - before.x, after.y - before.y) + Math.abs(after.wide - before.wide);
    if (moved < 4 * ratio) return;
    shiftX += after.x - before.x; shiftY += after.y - before.y;
    if (before.wide && after.wide) zoom(after.wide / before.wide, after.x, after.y);
    point(-1);
    redraw();
  });
  function released(event) {
    var last = held.size === 1 && held.has(event.pointerId);
    held.delete(event.pointerId);
    if (!held.size) canvas.classList.remove("held");
    if (!last || event.type !== "pointerup" || moved >= 4 * ratio || event.button) return;
    var here = place(event), touch = event.pointerType === "touch";
    var i = nearest(here.x, here.y, (touch ? 20 : 12) * ratio);
    if (!touch || (i >= 0 && i === chosen)) open(i);
    else point(i, " · tap again to open");
  }
  canvas.addEventListener("pointerup", released);
  canvas.addEventListener("pointercancel", released);
  canvas.addEventListener("pointerleave", function (event) { if (!held.size && event.pointerType !== "touch") point(-1); });
  canvas.addEventListener("wheel", function (event) {
    event.preventDefault();
    var here = place(event), step = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    point(-1);
    zoom(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.0015)), here.x, here.y);
  }, { passive: false });

  /* ---- keyboard: what lies in the middle is pointed at */
  function aim() { point(nearest(width / 2, height / 2, 60 * ratio), " · Enter opens it"); }
  canvas.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    var step = 0.12 * Math.min(width, height), known = true;
    if (event.key === "ArrowLeft") shiftX += step;
    else if (event.key === "ArrowRight") shiftX -= step;
    else if (event.key === "ArrowUp") shiftY += step;
    else if (event.key === "ArrowDown") shiftY -= step;
    else if (event.key === "+" || event.key === "=") zoom(1.4, width / 2, height / 2);
    else if (event.key === "-") zoom(1 / 1.4, width / 2, height / 2);
    else if (event.key === "0") whole();
    else if (event.key === "Enter") { open(nearest(width / 2, height / 2, 60 * ratio)); return; }
    else known = false;
    if (!known) return;
    event.preventDefault();
    keyboard = true;
    aim();
    redraw();
  });
  canvas.addEventListener("blur", function () { keyboard = false; point(-1); redraw(); });
  document.getElementById("closer").addEventListener("click", function () { zoom(1.6, width / 2, height / 2); });
  document.getElementById("farther").addEventListener("click", function () { zoom(1 / 1.6, width / 2, height / 2); });
  document.getElementById("whole").addEventListener("click", function () { whole(); redraw(); });

  /* ---- search */
  var folded = null;
  find.addEventListener("input", function () {
    var words = find.value.trim().toLowerCase(), found = 0;
    matches = null;
    if (words) {
      folded = folded || data.label.map(function (label) { return label.toLowerCase(); });
      matches = new Uint8Array(count);
      for (var i = 0; i < count; i++) if (folded[i].indexOf(words) >= 0) { matches[i] = 1; found++; }
    }
    lit.textContent = words ? found.toLocaleString("en") + (found === 1 ? " feature" : " features") : "";
    redraw();
  });

  function measure() {
    var first = !width, oldWidth = width, oldHeight = height;
    ratio = Math.min(window.devicePixelRatio || 1, 2);
    var wide = Math.max(Math.round(box.clientWidth * ratio), 1), high = Math.max(Math.round(box.clientHeight * ratio), 1);
    if (wide === width && high === height) return;
    width = canvas.width = wide;
    height = canvas.height = high;
    image = pen.createImageData(width, height);
    pixels = new Uint32Array(image.data.buffer);
    if (first) { whole(); show(); } else { shiftX += (width - oldWidth) / 2; shiftY += (height - oldHeight) / 2; }
    draw();
    if (first) performance.mark("first-dots");
  }
  function show() {
    var asked = new URLSearchParams(location.hash.slice(1) || location.search).get("feature");
    var i = asked === null ? -1 : data.feature.indexOf(Number(asked));
    if (i >= 0) { centre(i, 4); point(i); }
  }
  dress();
  measure();
  new ResizeObserver(measure).observe(box);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { dress(); redraw(); });
  window.addEventListener("hashchange", function () { show(); redraw(); });

  /* where a feature lies on the page, in CSS pixels; for tests and the curious */
  window.tymbal.where = function (feature) {
    var i = data.feature.indexOf(feature), frame = canvas.getBoundingClientRect();
    return { x: frame.left + (xs[i] * scale + shiftX) / ratio, y: frame.top + (ys[i] * scale + shiftY) / ratio };
  };
  window.tymbal.pan = function (x, y) { shiftX += x; shiftY += y; draw(); };
})();
