// Before the page is drawn, so that it does not flash: the theme chosen here before.
"use strict";
try {
  const chosen = localStorage.getItem("gosales-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* no storage: the system's theme */ }
