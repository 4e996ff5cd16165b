// Black boxes over faces and plates, with mouse, touch and keyboard. The form's number fields are the
// truth: without this script they are filled in by hand.
"use strict";

(() => {
  const form = document.querySelector(".cover-form");
  if (!form) {
    return;
  }
  const layer = form.querySelector(".masks");
  const body = form.querySelector(".boxes tbody");
  const said = form.querySelector("[data-said]");
  const undo = form.querySelector("[data-do=undo]");
  const away = form.querySelector("[data-do=remove]");
  const blank = body.rows[body.rows.length - 1].cloneNode(true);
  const SIDES = ["x", "y", "width", "height"];
  const past = [];
  let boxes = [];
  let size = { width: 1, height: 1 };
  let chosen = -1; // the box that was touched last

  const whole = (value) => (/^-?\d+$/.test(value.trim()) ? Number(value) : 0);
  const copy = () => boxes.map((box) => ({ ...box }));

  function read() {
    boxes = [...body.rows]
      .map((row) => Object.fromEntries(SIDES.map((side) => [side, whole(row.querySelector(`[name=${side}]`).value)])))
      .filter((box) => box.width > 0 && box.height > 0);
  }

  function remember(before = copy()) {
    past.push(before);
    undo.disabled = false;
  }

  function within(box) {
    box.width = Math.min(size.width, Math.max(4, Math.round(box.width)));
    box.height = Math.min(size.height, Math.max(4, Math.round(box.height)));
    box.x = Math.min(size.width - box.width, Math.max(0, Math.round(box.x)));
    box.y = Math.min(size.height - box.height, Math.max(0, Math.round(box.y)));
    return box;
  }

  function words(box, at) {
    return form.dataset.box.replace("{n}", at + 1).replace("{x}", box.x).replace("{y}", box.y)
      .replace("{w}", box.width).replace("{h}", box.height);
  }

  // Lay the boxes over the picture and write them into the fields; `focus`: which one goes on.
  function draw(focus = -1, fields = true) {
    layer.replaceChildren(...boxes.map((box, at) => {
      const mask = document.createElement("div");
      mask.className = "mask";
      mask.tabIndex = 0;
      mask.setAttribute("role", "button");
      mask.setAttribute("aria-label", words(box, at));
      mask.dataset.at = at;
      mask.style.left = `${(box.x / size.width) * 100}%`;
      mask.style.top = `${(box.y / size.height) * 100}%`;
      mask.style.width = `${(box.width / size.width) * 100}%`;
      mask.style.height = `${(box.height / size.height) * 100}%`;
      return mask;
    }));
    choose(focus);
    if (focus >= 0 && layer.children[focus]) {
      layer.children[focus].focus();
      said.textContent = words(boxes[focus], focus);
    }
    if (!fields) {
      return;
    }
    while (body.rows.length < boxes.length + 1) {
      body.append(blank.cloneNode(true));
    }
    [...body.rows].forEach((row, at) => {
      for (const side of SIDES) {
        row.querySelector(`[name=${side}]`).value = boxes[at] ? boxes[at][side] : "";
        row.querySelector(`[name=${side}]`).setAttribute("aria-label", row.querySelector(`[name=${side}]`).getAttribute("aria-label").replace(/\d+/, at + 1));
      }
      row.hidden = at > boxes.length;
    });
  }

  function choose(n) {
    chosen = boxes[n] ? n : -1;
    away.disabled = chosen < 0;
  }

  function remove(n) {
    remember();
    boxes.splice(n, 1);
    draw(Math.min(n, boxes.length - 1));
  }

  function start() {
    size = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
    form.querySelector(".scripted").hidden = false;
    read();
    draw();
  }

  // Where an event is, in pixels of the picture.
  function at(event) {
    const box = layer.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * size.width,
      y: ((event.clientY - box.top) / box.height) * size.height,
    };
  }

  let held = null;

  layer.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || held) {
      return; // a second finger zooms the page, it draws nothing
    }
    const mask = event.target.closest(".mask");
    const from = at(event);
    const before = copy();
    if (mask) {
      const box = boxes[Number(mask.dataset.at)];
      const edge = mask.getBoundingClientRect();
      const reach = Math.min(event.pointerType === "touch" ? 32 : 22, edge.width / 2, edge.height / 2);
      const sizing = edge.right - event.clientX < reach && edge.bottom - event.clientY < reach;
      held = { n: Number(mask.dataset.at), from, first: { ...box }, sizing, before };
    } else if (boxes.length < Number(form.dataset.most)) {
      boxes.push({ x: from.x, y: from.y, width: 0, height: 0 });
      held = { n: boxes.length - 1, from, first: null, before };
    }
    if (held) {
      held.pointer = event.pointerId;
      layer.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  });

  layer.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.pointer) {
      return;
    }
    const now = at(event);
    const box = boxes[held.n];
    const moved = { x: now.x - held.from.x, y: now.y - held.from.y };
    if (!held.first) {
      box.x = Math.max(0, Math.min(held.from.x, now.x));
      box.y = Math.max(0, Math.min(held.from.y, now.y));
      box.width = Math.min(size.width, Math.max(held.from.x, now.x)) - box.x;
      box.height = Math.min(size.height, Math.max(held.from.y, now.y)) - box.y;
    } else if (held.sizing) {
      box.width = held.first.width + moved.x;
      box.height = held.first.height + moved.y;
      within(box);
    } else {
      box.x = held.first.x + moved.x;
      box.y = held.first.y + moved.y;
      within(box);
    }
    draw(-1, false);
  });

  // The browser takes the finger for itself, as when a second one begins to zoom.
  function taken(event) {
    if (held && event.pointerId === held.pointer) {
      boxes = held.before;
      held = null;
      draw();
    }
  }

  function lifted(event) {
    if (!held || event.pointerId !== held.pointer) {
      return;
    }
    const box = boxes[held.n];
    const before = held.before;
    if (!held.first && (box.width < 4 || box.height < 4)) {
      boxes = before; // a click, not a box
      held = null;
      draw();
      return;
    }
    within(box);
    const n = held.n;
    held = null;
    if (JSON.stringify(before) !== JSON.stringify(boxes)) {
      remember(before);
    }
    draw(n);
  }

  layer.addEventListener("pointerup", lifted);
  layer.addEventListener("pointercancel", taken);
  layer.addEventListener("focusin", (event) => choose(Number(event.target.dataset.at)));

  layer.addEventListener("keydown", (event) => {
    const mask = event.target.closest(".mask");
    if (!mask) {
      return;
    }
    const n = Number(mask.dataset.at);
    const step = Math.max(1, Math.round(size.width / 100));
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key === "Delete" || event.key === "Backspace") {
      remove(n);
    } else if (ways[event.key]) {
      remember();
      const [x, y] = ways[event.key];
      const box = boxes[n];
      if (event.shiftKey) {
        box.width += x;
        box.height += y;
      } else {
        box.x += x;
        box.y += y;
      }
      within(box);
      draw(n);
    } else {
      return;
    }
    event.preventDefault();
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && button.dataset.do === "undo") {
      boxes = past.pop() || [];
      undo.disabled = past.length === 0;
      draw();
    } else if (button && button.dataset.do === "remove") {
      if (chosen >= 0) {
        remove(chosen);
      }
    } else if (button && boxes.length < Number(form.dataset.most)) {
      remember();
      const [width, height] = [size.width / 5, size.height / 5];
      boxes.push(within({ x: (size.width - width) / 2, y: (size.height - height) / 2, width, height }));
      draw(boxes.length - 1);
    }
  });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target.tagName !== "INPUT" && past.length) {
      event.preventDefault();
      undo.click();
    }
  });

  body.addEventListener("input", () => {
    read();
    draw(-1, false);
  });
  body.addEventListener("change", () => {
    read();
    boxes.forEach(within);
    draw();
  });

  start();
})();
