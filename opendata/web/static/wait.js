// While a file is being read: looks whether the page has more to say, and loads it again when it does.
// Without this script the page's "refresh" link does the same.
const pauses = [300, 300, 400, 500, 700, 1000, 1500, 2000];
let tries = 0;

const touched = () => [...document.querySelectorAll("input, textarea")].some(
  (field) => field.type === "file" ? field.files.length > 0 : field.value !== field.defaultValue,
);

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.ok && !(await answer.text()).includes("data-waiting") && !touched()) {
    location.reload();
  } else if (tries < 200) {
    again();
  }
}

function again() {
  setTimeout(() => look().catch(again), pauses[Math.min(tries++, pauses.length - 1)]);
}

again();
