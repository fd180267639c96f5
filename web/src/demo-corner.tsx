/** Only with `npm run dev`: a corner that starts releases in the demo world, and makes a canary bad. It is in no build. */
import { render } from 'preact';
import { useState } from 'preact/hooks';

const SERVICES = ['shop', 'checkout', 'search'];

function Corner() {
  const [service, setService] = useState('shop');
  const [said, setSaid] = useState('');
  const ask = async (what: string): Promise<void> => {
    const answer = await fetch(`/demo/${what}?service=${service}`, { method: 'POST' });
    setSaid(await answer.text());
  };
  return (
    <aside class="demo-corner card" aria-label="Demo world">
      <select
        aria-label="Service of the demo world"
        value={service}
        onChange={({ currentTarget }) => setService(currentTarget.value)}
      >
        {SERVICES.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <button type="button" onClick={() => void ask('release')}>
        Start a release
      </button>
      <button type="button" class="warned" onClick={() => void ask('bad')}>
        Make the canary bad
      </button>
      <button type="button" onClick={() => void ask('good')}>
        Make it good
      </button>
      <span class="small soft" role="status">
        {said}
      </span>
    </aside>
  );
}

export function showCorner(): void {
  const place = document.createElement('div');
  document.body.append(place);
  render(<Corner />, place);
}
