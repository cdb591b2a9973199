const find = document.getElementById("find");
find.addEventListener("input", () => {
  const wanted = find.value.toLowerCase();
  for (const row of document.querySelectorAll("#faults tbody tr"))
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
});
