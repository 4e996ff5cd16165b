// What the pages do beside htmx: nothing here is needed to use them, it only saves clicks.
"use strict";

// A form is sent once, however often it is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") {
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  const question = event.submitter && event.submitter.dataset.ask;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
});

// Back in the browser's history: the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});

// A filter answers at once.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && form.matches("form[data-at-once]") && !event.target.matches("[type=search]")) {
    form.requestSubmit();
  }
});

// Writing a third value chooses it.
document.addEventListener("input", (event) => {
  const choice = event.target.dataset.chooses;
  if (choice) {
    document.getElementById(choice).checked = true;
  }
});

// The first wrong field is where the person goes on.
document.addEventListener("DOMContentLoaded", () => {
  const wrong = document.querySelector(".is-invalid");
  if (wrong) {
    wrong.focus();
  }
});
