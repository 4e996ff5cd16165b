// Photos in an action's form: shrunk in the browser, shown before they are sent, sent with progress.
// Without this script the browser sends the files as they are, and the server shrinks them.
"use strict";

(() => {
  const SIDE = 2048; // as the phones do
  const THUMB = 96;
  const QUALITY = 0.82;

  const text = (box, name, values = {}) =>
    Object.entries(values).reduce((all, [key, value]) => all.replace(`{${key}}`, value), box.dataset[`text${name}`]);

  // A canvas with the picture, upright, its longer side at most `side`.
  function drawn(bitmap, side) {
    const by = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * by));
    canvas.height = Math.max(1, Math.round(bitmap.height * by));
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  // The file made small; as it is where this browser cannot read it (HEIC).
  async function prepared(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      return { data: file, name: file.name, taken: file.lastModified, thumb: null };
    }
    const canvas = drawn(bitmap, SIDE);
    const thumb = drawn(bitmap, THUMB);
    bitmap.close();
    const data = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return { data: data || file, name: file.name, taken: file.lastModified, thumb };
  }

  for (const form of document.querySelectorAll("form[data-uploads]")) {
    const box = form.querySelector("[data-photos]");
    const input = box.querySelector("input[type=file]");
    const list = box.querySelector(".picked");
    const sending = box.querySelector(".sending");
    const bar = sending.querySelector("progress");
    const status = sending.querySelector("[role=status]");
    const button = form.querySelector("button[type=submit]");
    let photos = [];
    let ready = Promise.resolve();

    function say(message) {
      sending.hidden = !message;
      status.textContent = message;
      bar.hidden = true;
    }

    function show() {
      list.hidden = photos.length === 0;
      list.replaceChildren(...photos.map((photo, at) => {
        const item = document.createElement("li");
        if (photo.thumb) {
          photo.thumb.setAttribute("role", "img");
          photo.thumb.setAttribute("aria-label", photo.name);
          item.append(photo.thumb);
        } else {
          item.append(photo.name);
        }
        const remove = document.createElement("button");
        remove.type = "button";
        remove.className = "btn btn-sm btn-outline-danger";
        remove.textContent = "×";
        remove.setAttribute("aria-label", text(box, "Remove", { n: at + 1 }));
        remove.addEventListener("click", () => {
          photos.splice(at, 1);
          show();
          input.focus();
        });
        item.append(remove);
        return item;
      }));
    }

    async function take(files) {
      say("");
      for (const file of files) {
        if (photos.length >= Number(box.dataset.most)) {
          say(text(box, "Many", { n: box.dataset.most }));
          break;
        }
        const photo = await prepared(file);
        if (photo.data.size > Number(box.dataset.largest)) {
          say(text(box, "Large", { name: photo.name }));
        } else {
          photos.push(photo);
        }
        show();
      }
    }

    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = ""; // what is sent is what is shown
      ready = ready.then(() => take(files));
    });

    function mark(errors) {
      for (const old of form.querySelectorAll("[data-told]")) {
        old.remove();
      }
      for (const field of form.querySelectorAll(".is-invalid")) {
        field.classList.remove("is-invalid");
      }
      let first = null;
      for (const [name, message] of Object.entries(errors || {})) {
        const field = name === "photos" ? input : form.elements[name];
        if (!field || !field.classList) {
          continue;
        }
        const told = document.createElement("div");
        told.className = "invalid-feedback";
        told.dataset.told = "";
        told.id = `${field.id}-told`;
        told.textContent = message;
        field.classList.add("is-invalid");
        field.setAttribute("aria-describedby", told.id);
        field.after(told);
        first = first || field;
      }
      if (first) {
        first.focus();
      }
    }

    function answered(request) {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = { message: text(box, request.status < 400 ? "Expired" : "Failed") };
      }
      if (answer.location) {
        window.location.assign(answer.location);
        return;
      }
      button.disabled = false;
      say(answer.message || answer.detail || answer.title || text(box, "Failed"));
      mark(answer.errors);
    }

    // Who signed in again in another tab goes on here: with the token that holds now.
    async function renewed() {
      const answer = await fetch(form.action.replace(/\/[a-z_]+$/, ""), { redirect: "manual" });
      if (!answer.ok) {
        return false;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = page.querySelector("input[name=csrf_token]");
      form.elements.csrf_token.value = token ? token.value : form.elements.csrf_token.value;
      return true;
    }

    async function send() {
      button.disabled = true;
      sending.hidden = false;
      try {
        if (!(await renewed())) {
          button.disabled = false;
          say(text(box, "Expired"));
          return;
        }
      } catch {
        button.disabled = false;
        say(text(box, "Failed"));
        return;
      }
      const body = new FormData(form);
      body.delete("photos");
      for (const photo of photos) {
        body.append("photos", photo.data, photo.name);
        body.append("photos_taken", photo.taken);
      }
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => {
        const percent = event.lengthComputable ? Math.floor((event.loaded / event.total) * 100) : 0;
        bar.hidden = false;
        bar.value = percent;
        status.textContent = percent < 100 ? text(box, "Sending", { n: percent }) : text(box, "Checking");
      });
      request.addEventListener("load", () => answered(request));
      for (const failed of ["error", "abort", "timeout"]) {
        request.addEventListener(failed, () => {
          button.disabled = false;
          say(text(box, "Failed"));
        });
      }
      request.send(body);
    }

    form.addEventListener("submit", (event) => {
      if (photos.length === 0) {
        return; // a form like any other
      }
      event.preventDefault();
      event.stopPropagation();
      if (!button.disabled) {
        ready.then(send);
      }
    });
  }
})();
