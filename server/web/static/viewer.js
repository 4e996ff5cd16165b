// The photos of a page in a dialog: arrows, + - 0, Esc; wheel, drag and pinch. Without this script
// each photo is a link to a page of its own.
"use strict";

(() => {
  const dialog = document.querySelector("dialog.viewer");
  const links = [...document.querySelectorAll("[data-gallery] a[data-photo]")];
  if (!dialog || !dialog.showModal || links.length === 0) {
    return;
  }
  const find = (selector) => dialog.querySelector(selector);
  const stage = find(".viewer-stage");
  const panes = [...dialog.querySelectorAll(".pane")];
  const pictures = panes.map((pane) => pane.querySelector("img"));
  const counter = find("[data-counter]");
  const caption = find(".viewer-caption");
  const zoomed = find("[data-zoom]");
  const LARGEST = 8;
  const STEP = 1.3;
  let shown = [0]; // places in `links`: one, or two side by side
  let view = { scale: 1, x: 0, y: 0 };

  function place() {
    const limit = (side, length) => {
      const most = Math.max(0, (length * (view.scale - 1)) / 2);
      return Math.min(most, Math.max(-most, side));
    };
    const pane = panes[0];
    view.x = limit(view.x, pane.clientWidth);
    view.y = limit(view.y, pane.clientHeight);
    for (const picture of pictures) {
      picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    }
    zoomed.textContent = `${Math.round(view.scale * 100)}%`;
    stage.classList.toggle("zoomed", view.scale > 1);
    if (view.scale > 1) {
      shown.forEach((at, side) => sharpen(pictures[side], links[at]));
    }
  }

  // The whole picture comes only when somebody looks closer.
  function sharpen(picture, link) {
    if (picture.dataset.full !== link.dataset.full) {
      picture.dataset.full = link.dataset.full;
      picture.src = link.dataset.full;
    }
  }

  // Zoom so that what is under a point of the stage (from its middle) stays there.
  function zoom(factor, x = 0, y = 0) {
    const scale = Math.min(LARGEST, Math.max(1, view.scale * factor));
    const by = scale / view.scale;
    view = { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
    place();
  }

  function reset() {
    view = { scale: 1, x: 0, y: 0 };
    place();
  }

  function show(places) {
    shown = places;
    panes[1].hidden = places.length < 2;
    stage.classList.toggle("two", places.length > 1);
    caption.replaceChildren();
    places.forEach((at, side) => {
      const link = links[at];
      const picture = pictures[side];
      delete picture.dataset.full;
      panes[side].classList.remove("broken");
      picture.src = link.dataset.large;
      picture.alt = link.dataset.alt;
      const words = document.createElement("div");
      words.append(...link.closest("figure").querySelector("figcaption").cloneNode(true).childNodes);
      caption.append(words);
    });
    const [at] = places;
    counter.textContent = places.length > 1 ? counter.dataset.two : counter.dataset.words.replace("{a}", at + 1).replace("{b}", links.length);
    const alone = places.length > 1 || links.length < 2;
    find("[data-do=before]").hidden = alone;
    find("[data-do=next]").hidden = alone;
    find("[data-page]").href = links[at].href;
    reset();
    const following = links[(at + 1) % links.length];
    new Image().src = following.dataset.large;
  }

  function turn(by) {
    if (shown.length === 1 && links.length > 1) {
      show([(shown[0] + by + links.length) % links.length]);
    }
  }

  function open(places) {
    show(places);
    dialog.showModal();
    stage.focus();
    place();
  }

  const deeds = {
    in: () => zoom(STEP),
    out: () => zoom(1 / STEP),
    reset,
    before: () => turn(-1),
    next: () => turn(1),
    close: () => dialog.close(),
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-photo], a[data-also], a[data-compare]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) {
      return;
    }
    const ids = (link.dataset.compare || link.dataset.photo || link.dataset.also).split(" ");
    const places = ids.map((id) => links.findIndex((one) => one.dataset.photo === id));
    if (places.every((at) => at >= 0)) {
      event.preventDefault();
      open(places);
    }
  });

  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) {
      deeds[button.dataset.do]();
    }
  });

  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const moved = 60;
    const keys = {
      "+": deeds.in, "=": deeds.in, "-": deeds.out, _: deeds.out, 0: reset,
      PageUp: deeds.before, PageDown: deeds.next, Home: () => turn(-shown[0]),
      End: () => turn(links.length - 1 - shown[0]),
      ArrowLeft: () => (view.scale > 1 ? pan(moved, 0) : turn(-1)),
      ArrowRight: () => (view.scale > 1 ? pan(-moved, 0) : turn(1)),
      ArrowUp: () => pan(0, moved),
      ArrowDown: () => pan(0, -moved),
    };
    const deed = keys[event.key];
    if (deed) {
      event.preventDefault();
      deed();
    }
  });

  function pan(x, y) {
    view.x += x;
    view.y += y;
    place();
  }

  // A point of the stage, from the middle of the pane it lies in.
  function fromMiddle(event) {
    const box = (event.target.closest(".pane") || panes[0]).getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  }

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, ...fromMiddle(event));
  }, { passive: false });

  stage.addEventListener("dblclick", (event) => {
    if (view.scale > 1) {
      reset();
    } else {
      zoom(2.5, ...fromMiddle(event));
    }
  });

  const touches = new Map();
  let began = null;

  // How two fingers lie: how far apart, and the point in their middle.
  function pair() {
    const [a, b] = [...touches.values()];
    const [clientX, clientY] = [(a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2];
    return { apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), clientX, clientY, target: a.target };
  }

  stage.addEventListener("pointerdown", (event) => {
    touches.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
    began = { x: event.clientX, y: event.clientY, alone: touches.size === 1 };
  });

  stage.addEventListener("pointermove", (event) => {
    const last = touches.get(event.pointerId);
    if (!last) {
      return;
    }
    const before = touches.size === 2 ? pair() : null;
    touches.set(event.pointerId, event);
    if (before && before.apart > 0) {
      const after = pair();
      zoom(after.apart / before.apart, ...fromMiddle(before));
      pan(after.clientX - before.clientX, after.clientY - before.clientY);
    } else if (view.scale > 1) {
      pan(event.clientX - last.clientX, event.clientY - last.clientY);
    }
  });

  function lifted(event) {
    if (!touches.delete(event.pointerId) || touches.size > 0 || !began) {
      return;
    }
    const across = event.clientX - began.x;
    if (event.pointerType === "touch" && began.alone && view.scale === 1
        && Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(event.clientY - began.y)) {
      turn(across < 0 ? 1 : -1);
    }
    began = null;
  }

  stage.addEventListener("pointerup", lifted);
  stage.addEventListener("pointercancel", lifted);
  window.addEventListener("resize", () => dialog.open && place());
  for (const [side, picture] of pictures.entries()) {
    picture.addEventListener("error", () => panes[side].classList.add("broken"));
  }
  panes.forEach((pane) => pane.setAttribute("data-broken", stage.dataset.broken));
})();
