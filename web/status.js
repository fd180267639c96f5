// The status page: what runs now, and the sentences as they come. It asks, it does not know: every word is the service's.
const releases = document.querySelector('#releases');
const log = document.querySelector('#log');
const link = document.querySelector('#link');
const KEPT = 200;

const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

function card(release) {
  const box = element('article');
  const title = element('h3', `${release.service} ${release.stableVersion ?? '–'} → ${release.version}`);
  title.append(element('span', release.phase.kind, 'phase'));
  const meter = element('meter');
  Object.assign(meter, { min: 0, max: 10_000, value: release.wantedBp });
  meter.setAttribute('aria-label', `wanted weight ${release.wantedBp / 100} %`);
  box.append(title, element('p', release.sentence), meter);
  for (const [name, check] of Object.entries(release.checks ?? {}))
    box.append(element('p', `${name}: ${check.verdict} – ${check.sentence}`, 'check'));
  return box;
}

let asked = false;
async function refresh() {
  if (asked) return;
  asked = true;
  try {
    const answer = await fetch('/v1/releases?limit=20');
    const { items } = await answer.json();
    releases.replaceChildren(...items.map(card));
    if (items.length === 0)
      releases.append(element('p', 'No release yet. Start one: headgate release start -f plan.yaml --version 1.2.3', 'empty'));
  } catch {
    // The link's own state says that the service is gone.
  } finally {
    asked = false;
  }
}

function add(event) {
  const line = element('li');
  const time = element('time', new Date(event.at).toLocaleTimeString());
  time.dateTime = new Date(event.at).toISOString();
  line.append(time, event.sentence);
  log.prepend(line);
  while (log.children.length > KEPT) log.lastChild.remove();
}

const stream = new EventSource('/v1/events');
stream.addEventListener('open', () => {
  link.textContent = 'live';
  link.className = '';
  refresh();
});
stream.addEventListener('error', () => {
  link.textContent = `stale since ${new Date().toLocaleTimeString()}: the service does not answer`;
  link.className = 'stale';
});
stream.addEventListener('message', (message) => {
  add(JSON.parse(message.data));
  refresh();
});
setInterval(refresh, 2_000);
refresh();
