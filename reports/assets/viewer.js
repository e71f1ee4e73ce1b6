document.getElementById("app").textContent = "viewer not built";
