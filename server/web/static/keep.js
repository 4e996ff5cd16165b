// What somebody wrote in a form that was not taken (signed out meanwhile, an error) stays in this
// tab until they are back on the form's page, and nobody else gets to see it.
"use strict";

(() => {
  const KEY = "gridledger-written";
  const { user, refused, textKept } = document.body.dataset;

  function stored() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function addressOf(form) {
    const address = new URL(form.getAttribute("action") || "", window.location.href);
    return address.pathname + address.search;
  }

  // What can be written or chosen; tokens and what the page itself says are the new page's.
  function fieldsOf(form) {
    return [...form.elements].filter(
      (one) => one.name && !["hidden", "file", "submit", "button", "password", "fieldset"].includes(one.type),
    );
  }

  function keep(form) {
    if (!user || form.method !== "post" || form.querySelector("input[type=password]")) {
      return;
    }
    const values = fieldsOf(form)
      .filter((one) => !["checkbox", "radio"].includes(one.type) || one.checked)
      .map((one) => [one.name, one.value]);
    if (values.length) {
      sessionStorage.setItem(KEY, JSON.stringify({ user, form: addressOf(form), values }));
    }
  }

  function fill(form, values) {
    for (const field of fieldsOf(form)) {
      const mine = values.filter(([name]) => name === field.name).map(([, value]) => value);
      if (["checkbox", "radio"].includes(field.type)) {
        field.checked = mine.includes(field.value);
      } else if (mine.length) {
        field.value = mine[0];
      }
    }
  }

  function bring(form, values) {
    fill(form, values);
    for (let box = form.closest("details"); box; box = box.parentElement.closest("details")) {
      box.open = true;
    }
    const note = document.createElement("p");
    note.className = "notice notice-info";
    note.setAttribute("role", "status");
    note.textContent = textKept;
    form.prepend(note);
    note.scrollIntoView({ block: "center" });
    const first = fieldsOf(form).find((one) => one.offsetParent);
    if (first) {
      first.focus({ preventScroll: true });
    }
  }

  document.addEventListener("submit", (event) => keep(event.target), true);

  document.addEventListener("DOMContentLoaded", () => {
    const kept = stored();
    if (!kept) {
      return;
    }
    if (!user || refused !== undefined) {
      sessionStorage.setItem(KEY, JSON.stringify({ ...kept, back: true }));
      return; // at the door, or at an error: what was sent was not taken
    }
    sessionStorage.removeItem(KEY);
    if (kept.back && kept.user === user) {
      const form = [...document.forms].find((one) => addressOf(one) === kept.form);
      if (form) {
        bring(form, kept.values);
      }
    }
  });

})();
