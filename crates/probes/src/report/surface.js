// Surfaces that one can turn: a small rasteriser with a depth buffer, so that it needs no graphics
// card and draws the same everywhere. Colours are those of the pictures: the map viridis.
const viridis = (() => {
  // Zucker's polynomial (2019) of degree six for the map of Smith and van der Walt.
  const c = [
    [.2777273272234177, .005407344544966578, .3340998053353061], [.1050930431085774, 1.404613529898575, 1.384590162594685],
    [-.3308618287255563, .214847559468213, .09509516302823659], [-4.634230498983486, -5.799100973351585, -19.33244095627987],
    [6.228269936347081, 14.17993336680509, 56.69055260068105], [4.776384997670288, -13.74514537774601, -65.35303263337234],
    [-5.435455855934631, 4.645852612178535, 26.3124352495832]];
  const table = [];
  for (let k = 0; k < 256; k++) {
    const t = k / 255;
    table.push([0, 1, 2].map(i => 255 * Math.min(1, Math.max(0, c.reduceRight((sum, row) => sum * t + row[i], 0)))));
  }
  return table;
})();

function turnable(figure, surface, page) {
  const { make, shown, showTip, hideTip, slider } = page;
  const span = surface.log ? Math.log(surface.high / surface.low) : surface.high - surface.low;
  const height = z => span > 0 ? (surface.log ? Math.log(z / surface.low) : z - surface.low) / span : .5;
  const value = t => surface.log ? surface.low * Math.exp(t * span) : surface.low + t * span;
  const view = { azimuth: -60, elevation: 34 };
  const start = { ...view };
  const TALL = .95, FAR = 6.5, LEVELS = 14;

  // A grid with what drawing needs of it: places in the box from -1 to 1, heights and normals.
  const prepare = step => {
    const { a, b, z } = step, n = a.length, m = b.length;
    const unit = list => list.map(x => 2 * (x - list[0]) / (list[list.length - 1] - list[0]) - 1);
    const x = unit(a), y = unit(b), t = z.map(v => v === null ? NaN : height(v));
    const at = (i, j) => t[Math.min(n - 1, Math.max(0, i)) * m + Math.min(m - 1, Math.max(0, j))];
    const slope = (lower, upper, own, distance) => {
      const d = (isNaN(upper) ? own : upper) - (isNaN(lower) ? own : lower);
      return isNaN(d) ? 0 : TALL * d / distance;
    };
    const normal = new Float32Array(3 * n * m);
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) {
      const gx = slope(at(i - 1, j), at(i + 1, j), at(i, j), x[Math.min(n - 1, i + 1)] - x[Math.max(0, i - 1)]);
      const gy = slope(at(i, j - 1), at(i, j + 1), at(i, j), y[Math.min(m - 1, j + 1)] - y[Math.max(0, j - 1)]);
      const size = Math.hypot(gx, gy, 1);
      normal.set([-gx / size, -gy / size, 1 / size], 3 * (i * m + j));
    }
    return { ...step, x, y, heights: t, normal, n, m };
  };
  const stage = make("div");
  stage.className = "stage " + (surface.panels.length > 1 ? "many" : "one");
  const panels = surface.panels.map(panel => {
    const box = make("div", undefined, stage);
    box.className = "panel";
    const name = make("div", undefined, box);
    const canvas = make("canvas", undefined, box);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${panel.name}: surface; the arrow keys turn it`);
    return { ...panel, label: name, canvas, grids: panel.steps.map(prepare), grid: null };
  });
  const choose = index => {
    const step = surface.steps[index];
    for (const panel of panels) {
      // The last surface at or before the step.
      panel.grid = panel.grids.filter(grid => grid.step <= step).pop() || panel.grids[0];
      panel.label.replaceChildren(document.createTextNode(panel.name + " "));
      make("small", `step ${panel.grid.step}`, panel.label);
    }
    draw();
  };

  const project = (width, depth) => {
    const turn = -(view.azimuth + 90) * Math.PI / 180, lift = view.elevation * Math.PI / 180;
    const [ct, st, ce, se] = [Math.cos(turn), Math.sin(turn), Math.cos(lift), Math.sin(lift)];
    const scale = Math.min(width * .3, depth * .4);
    return (x, y, z) => {
      const h = (z - .5) * TALL, u = x * ct - y * st, w = x * st + y * ct;
      const d = w * ce - h * se, s = FAR / (FAR + d);
      return [width / 2 + scale * s * u, depth * .47 - scale * s * (h * ce + w * se), d];
    };
  };

  const paint = (panel, ratio) => {
    const { canvas, grid } = panel;
    const wide = canvas.clientWidth, tall = canvas.clientHeight;
    if (!wide || !tall) return;
    const device = Math.min(2, window.devicePixelRatio || 1);
    const [W, H] = [Math.round(wide * ratio), Math.round(tall * ratio)];
    const [outW, outH] = [Math.round(wide * device), Math.round(tall * device)];
    if (canvas.width !== outW || canvas.height !== outH) { canvas.width = outW; canvas.height = outH; }
    const context = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const css = name => style.getPropertyValue(name).trim();
    context.setTransform(device, 0, 0, device, 0, 0);
    context.clearRect(0, 0, wide, tall);
    box(context, grid, project(wide, tall), css, wide);

    const { n, m, x, y, heights, normal } = grid;
    const onto = project(W, H);
    const px = new Float32Array(n * m), py = new Float32Array(n * m), pd = new Float32Array(n * m), light = new Float32Array(n * m);
    // The light stands beside the reader, and turns with the view.
    const turn = (view.azimuth + 90) * Math.PI / 180;
    const l = [-.45, -.5, .74], lx = l[0] * Math.cos(turn) - l[1] * Math.sin(turn), ly = l[0] * Math.sin(turn) + l[1] * Math.cos(turn);
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) {
      const k = i * m + j;
      [px[k], py[k], pd[k]] = onto(x[i], y[j], isNaN(heights[k]) ? 0 : heights[k]);
      light[k] = .52 + .56 * Math.max(0, normal[3 * k] * lx + normal[3 * k + 1] * ly + normal[3 * k + 2] * l[2]);
    }
    const image = new ImageData(W, H), pixels = image.data;
    const near = new Float32Array(W * H).fill(1e9), tops = new Float32Array(W * H).fill(NaN);
    const triangle = (p, q, r) => {
      const [tp, tq, tr] = [heights[p], heights[q], heights[r]];
      if (isNaN(tp + tq + tr)) return;
      const area = (px[q] - px[p]) * (py[r] - py[p]) - (px[r] - px[p]) * (py[q] - py[p]);
      if (Math.abs(area) < 1e-6) return;
      // The slope of the height over the picture, by which contour lines have an even width.
      const gx = ((tq - tp) * (py[r] - py[p]) - (tr - tp) * (py[q] - py[p])) / area;
      const gy = ((tr - tp) * (px[q] - px[p]) - (tq - tp) * (px[r] - px[p])) / area;
      const steep = LEVELS * Math.hypot(gx, gy);
      const x0 = Math.max(0, Math.floor(Math.min(px[p], px[q], px[r]))), x1 = Math.min(W - 1, Math.ceil(Math.max(px[p], px[q], px[r])));
      const y0 = Math.max(0, Math.floor(Math.min(py[p], py[q], py[r]))), y1 = Math.min(H - 1, Math.ceil(Math.max(py[p], py[q], py[r])));
      for (let v = y0; v <= y1; v++) for (let u = x0; u <= x1; u++) {
        const wq = ((u - px[p]) * (py[r] - py[p]) - (px[r] - px[p]) * (v - py[p])) / area;
        const wr = ((px[q] - px[p]) * (v - py[p]) - (u - px[p]) * (py[q] - py[p])) / area;
        const wp = 1 - wq - wr;
        // A hair of overlap closes the seams.
        if (wp < -1e-3 || wq < -1e-3 || wr < -1e-3) continue;
        const depth = wp * pd[p] + wq * pd[q] + wr * pd[r], place = v * W + u;
        if (depth >= near[place]) continue;
        near[place] = depth;
        const t = Math.min(1, Math.max(0, wp * tp + wq * tq + wr * tr));
        tops[place] = t;
        let shade = wp * light[p] + wq * light[q] + wr * light[r];
        const level = t * LEVELS, off = Math.abs(level - Math.round(level));
        if (steep > 1e-9 && off / steep < .62 * ratio && Math.round(level) > 0) shade *= .72;
        const colour = viridis[Math.round(t * 255)], index = 4 * place;
        pixels[index] = Math.min(255, colour[0] * shade + 14 * (shade > 1 ? shade - 1 : 0) * 5);
        pixels[index + 1] = Math.min(255, colour[1] * shade);
        pixels[index + 2] = Math.min(255, colour[2] * shade);
        pixels[index + 3] = 255;
      }
    };
    for (let i = 0; i + 1 < n; i++) for (let j = 0; j + 1 < m; j++) {
      const k = i * m + j;
      // The shorter diagonal, so that valleys across the grid stay smooth.
      if (Math.abs(heights[k] - heights[k + m + 1]) <= Math.abs(heights[k + 1] - heights[k + m])) {
        triangle(k, k + m, k + m + 1); triangle(k, k + m + 1, k + 1);
      } else {
        triangle(k, k + m, k + 1); triangle(k + m, k + m + 1, k + 1);
      }
    }
    const sheet = panel.sheet || (panel.sheet = document.createElement("canvas"));
    sheet.width = W; sheet.height = H;
    sheet.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(sheet, 0, 0, wide, tall);
    track(context, grid, project(wide, tall));
    panel.tops = { W, H, tops };
  };

  // The floor, the two walls behind, ticks of the heights, and the names of the directions.
  const box = (context, grid, onto, css, wide) => {
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
    const far = corners.map(([x, y]) => onto(x, y, 0)[2]);
    const back = far.indexOf(Math.max(...far));
    const path = points => {
      context.beginPath();
      points.forEach((point, k) => { const [u, v] = onto(...point); if (k) context.lineTo(u, v); else context.moveTo(u, v); });
    };
    const wallOf = (one, other) => [[...one, 0], [...other, 0], [...other, 1], [...one, 1]];
    const [before, after] = [corners[(back + 3) % 4], corners[(back + 1) % 4]];
    context.lineWidth = 1;
    for (const wall of [corners.map(c => [...c, 0]), wallOf(corners[back], before), wallOf(corners[back], after)]) {
      path(wall); context.closePath();
      context.fillStyle = css("--wall"); context.fill();
      context.strokeStyle = css("--edge"); context.stroke();
    }
    context.strokeStyle = css("--line");
    for (const x of [-.5, 0, .5]) {
      path([[x, -1, 0], [x, 1, 0]]); context.stroke();
      path([[-1, x, 0], [1, x, 0]]); context.stroke();
    }
    const small = wide < 340;
    context.font = `${small ? 10 : 11}px system-ui, sans-serif`;
    context.fillStyle = css("--muted");
    // Heights stand at the edge that is leftmost.
    const across = corners.map(([x, y]) => onto(x, y, 0)[0]);
    const edge = corners[across.indexOf(Math.min(...across))];
    context.textAlign = "right"; context.textBaseline = "middle";
    for (const { t, text } of ticks(5)) {
      path([[...before, t], [...corners[back], t], [...after, t]]);
      context.strokeStyle = css("--line"); context.stroke();
      const [u, v] = onto(...edge, t);
      context.fillText(text, u - 5, v);
    }
    // Numbers and names at the two edges of the floor that are in front.
    const front = (back + 2) % 4;
    for (const [one, other] of [[corners[front], corners[(front + 1) % 4]], [corners[(front + 3) % 4], corners[front]]]) {
      const along = one[0] !== other[0] ? 0 : 1, list = along ? grid.b : grid.a;
      const place = (share, out) => {
        const at = [0, 1].map(k => k === along ? 2 * share - 1 : one[k] * out);
        return onto(at[0], at[1], 0);
      };
      const left = place(.5, 1)[0] < wide / 2;
      context.textAlign = left ? "right" : "left"; context.textBaseline = "top";
      for (const [share, x] of [[.04, list[0]], [.5, (list[0] + list[list.length - 1]) / 2], [.96, list[list.length - 1]]]) {
        const [u, v] = place(share, 1.06);
        context.fillText(shown(+x.toPrecision(3)), u, v);
      }
      context.textAlign = "center";
      const [u, v] = place(.5, 1.3);
      context.fillText(small ? (along ? "b" : "a") : `direction ${along + 1}`, u + (left ? -14 : 14), v + 2);
    }
  };

  const ticks = most => {
    const list = [];
    const add = z => { const t = height(z); if (t >= -1e-9 && t <= 1 + 1e-9) list.push({ t, text: shown(+z.toPrecision(6)) }); };
    if (surface.log) {
      const [low, high] = [Math.floor(Math.log10(surface.low)), Math.ceil(Math.log10(surface.high))];
      const every = Math.max(1, Math.ceil((high - low) / most));
      for (let k = low; k <= high; k += every) add(10 ** k);
    }
    if (list.length < 2) {
      list.length = 0;
      const raw = (surface.high - surface.low) / most, power = 10 ** Math.floor(Math.log10(raw || 1));
      const step = power * [1, 2, 5, 10].find(f => f * power >= raw * .999);
      for (let z = Math.ceil(surface.low / step) * step; z <= surface.high && list.length < 20; z += step) add(+z.toPrecision(10));
    }
    return list;
  };

  const track = (context, grid, onto) => {
    if (!grid.t || grid.t.length < 2) return;
    const cell = (list, x) => { let k = 0; while (k + 2 < list.length && list[k + 1] <= x) k++; return k; };
    const points = grid.t.filter(p => p[0] !== null && p[1] !== null).map(([a, b]) => {
      const i = cell(grid.a, a), j = cell(grid.b, b);
      const f = (a - grid.a[i]) / (grid.a[i + 1] - grid.a[i]), g = (b - grid.b[j]) / (grid.b[j + 1] - grid.b[j]);
      const h = (p, q) => grid.heights[(i + p) * grid.m + j + q];
      const t = (1 - f) * ((1 - g) * h(0, 0) + g * h(0, 1)) + f * ((1 - g) * h(1, 0) + g * h(1, 1));
      return onto(grid.x[i] + f * (grid.x[i + 1] - grid.x[i]), grid.y[j] + g * (grid.y[j + 1] - grid.y[j]), t + .01);
    }).filter(point => point.every(isFinite));
    for (const [width, colour] of [[4, "#222"], [2, "#fff"]]) {
      context.beginPath();
      points.forEach(([u, v], k) => { if (k) context.lineTo(u, v); else context.moveTo(u, v); });
      context.lineWidth = width; context.strokeStyle = colour; context.lineJoin = "round"; context.stroke();
    }
  };

  let waiting = 0, settle = 0;
  const draw = () => panels.forEach(panel => paint(panel, Math.max(2, Math.min(3, 1.5 * (window.devicePixelRatio || 1)))));
  // Coarse while it moves, fine when it rests.
  const moved = () => {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; panels.forEach(panel => paint(panel, 1)); });
    clearTimeout(settle);
    settle = setTimeout(draw, 140);
  };
  const turn = (azimuth, elevation) => {
    view.azimuth += azimuth;
    view.elevation = Math.min(88, Math.max(8, view.elevation + elevation));
    moved();
  };
  for (const panel of panels) {
    const { canvas } = panel;
    let from = null;
    canvas.addEventListener("pointerdown", event => {
      from = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
      hideTip();
    });
    canvas.addEventListener("pointermove", event => {
      if (from) {
        turn(-.5 * (event.clientX - from[0]), .4 * (event.clientY - from[1]));
        from = [event.clientX, event.clientY];
        return;
      }
      if (!panel.tops || event.pointerType === "touch") return;
      const frame = canvas.getBoundingClientRect(), { W, H, tops } = panel.tops;
      const u = Math.round((event.clientX - frame.left) / frame.width * W), v = Math.round((event.clientY - frame.top) / frame.height * H);
      const t = tops[v * W + u];
      if (t === undefined || isNaN(t)) hideTip(); else showTip(event, tip => make("b", shown(value(t)), tip));
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { from = null; });
    canvas.addEventListener("pointerleave", hideTip);
    canvas.addEventListener("dblclick", () => { Object.assign(view, start); draw(); });
    canvas.addEventListener("keydown", event => {
      const by = { ArrowLeft: [6, 0], ArrowRight: [-6, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] }[event.key];
      if (by) { event.preventDefault(); turn(...by); }
    });
  }

  const bar = make("div");
  bar.className = "bar";
  const stops = viridis.filter((_, k) => k % 15 === 0).map(c => `rgb(${c.map(Math.round).join(",")})`);
  make("i", undefined, bar).style.background = `linear-gradient(90deg,${stops.join(",")})`;
  for (const { t, text } of ticks(6)) make("span", text, bar).style.left = 100 * t + "%";
  const about = figure.querySelector(".about");
  const hint = make("span", " Drag to turn, double-click to turn back.");
  figure.insertBefore(stage, about);
  figure.insertBefore(bar, about);
  about.appendChild(hint);
  figure.classList.add("live");
  if (surface.steps.length > 1) figure.insertBefore(slider(surface.steps, choose), bar); else choose(0);
  new ResizeObserver(draw).observe(stage);
  return { draw };
}
