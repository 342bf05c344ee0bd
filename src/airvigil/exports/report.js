"use strict";
// Reading aids only: a switch for light and dark, and values under the pointer on charts.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  const box = document.createElement("div");
  box.className = "readout";
  box.hidden = true;
  document.body.append(box);

  for (const svg of document.querySelectorAll("svg.chart")) {
    const [left, top, width, height] = svg.dataset.box.split(" ").map(Number);
    const from = Date.parse(svg.dataset.from), to = Date.parse(svg.dataset.to);
    const low = Number(svg.dataset.low), high = Number(svg.dataset.high);
    const lines = [...svg.querySelectorAll("polyline.line")].map((line) => ({
      label: line.dataset.label,
      points: line.getAttribute("points").split(" ").map((p) => p.split(",").map(Number)),
    }));
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", top);
    cursor.setAttribute("y2", top + height);
    cursor.style.display = "none";
    svg.append(cursor);
    const hide = () => { box.hidden = true; cursor.style.display = "none"; };
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      if (at.x < left || at.x > left + width) { hide(); return; }
      const texts = [];
      for (const line of lines) {
        const k = line.points.findIndex((p) => p[0] >= at.x);
        if (k < 1) continue;
        const [a, b] = [line.points[k - 1], line.points[k]];
        const y = a[1] + (b[1] - a[1]) * (at.x - a[0]) / ((b[0] - a[0]) || 1);
        const value = high - (y - top) / height * (high - low);
        texts.push(`${line.label}  ${value.toFixed(high - low > 50 ? 0 : 2)} ${svg.dataset.unit}`);
      }
      if (!texts.length) { hide(); return; }
      const time = new Date(from + (at.x - left) / width * (to - from)).toISOString().slice(11, 19);
      box.textContent = [`${time} UTC`, ...texts].join("\n");
      box.hidden = false;
      box.style.left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8) + "px";
      box.style.top = Math.max(event.clientY - box.offsetHeight - 10, 8) + "px";
      cursor.setAttribute("x1", at.x);
      cursor.setAttribute("x2", at.x);
      cursor.style.display = "";
    });
  }
})();
