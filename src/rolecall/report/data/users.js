(() => {
  const data = JSON.parse(document.getElementById('people-data').textContent);
  const rows = [], low = (text) => text.toLowerCase();
  const count = (n) => n.toLocaleString('en') + (n === 1 ? ' user' : ' users');
  const text = (number) => data.texts[number];
  const parts = (listed) => listed.map((part) => (Array.isArray(part) ? [text(part[0]), part[1]] : [text(part), 'same']));
  const plain = (listed) => parts(listed).map(([words]) => words).join(', ') || 'nothing';
  data.moves.forEach((move) => {
    const because = move.because.map(text).join(', ');
    const texts = { kind: text(move.effect), before: plain(move.before), after: plain(move.after), because };
    const words = Object.values(texts).map(low).join('\n');
    const add = (name, n) => rows.push({ name, n, move, ...texts, words: low(name) + '\n' + words });
    (move.names || []).forEach((name) => add(name, 1));
    if (move.unnamed) add(count(move.unnamed), move.unnamed);
  });
  const $ = (id) => document.getElementById(id);
  const body = $('people-rows'), size = 100;
  let key = 'name', up = true, page = 0, shown = rows;
  const order = new Intl.Collator('en', { numeric: true }).compare;
  const cell = (row, label, cls) => {
    const td = row.insertCell();
    if (label) td.dataset.label = label;
    if (cls) td.className = cls;
    return td;
  };
  const access = (td, listed) => {
    if (!listed.length) td.textContent = 'nothing';
    parts(listed).forEach(([words, sense], at) => {
      const span = document.createElement('span');
      span.className = sense; span.textContent = words; td.append(at ? ', ' : '', span);
    });
  };
  const draw = () => {
    const last = Math.max(0, Math.ceil(shown.length / size) - 1);
    page = Math.min(Math.max(page, 0), last);
    body.replaceChildren();
    shown.slice(page * size, page * size + size).forEach((item) => {
      const row = body.insertRow();
      cell(row, '', 'mono').textContent = item.name;
      cell(row, 'Effect').textContent = item.kind;
      access(cell(row, 'Before'), item.move.before);
      access(cell(row, 'After'), item.move.after);
      cell(row, 'Cause', 'mono').textContent = item.because;
    });
    const total = count(shown.reduce((sum, row) => sum + row.n, 0));
    $('people-count').textContent = total + ', page ' + (page + 1) + ' of ' + (last + 1);
    $('people-back').disabled = page === 0; $('people-on').disabled = page === last;
  };
  const pick = () => {
    const words = $('people-search').value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = $('people-kind').value;
    shown = rows.filter((row) => (!kind || row.move.kind === kind || (kind === 'default' && row.move.default))
      && words.every((word) => row.words.includes(word)));
    shown.sort((a, b) => (up ? 1 : -1) * order(a[key], b[key]));
    draw();
  };
  document.querySelectorAll('#people th').forEach((head) => {
    const button = document.createElement('button');
    button.type = 'button'; button.textContent = head.textContent; head.replaceChildren(button);
    button.addEventListener('click', () => {
      up = key === head.dataset.key ? !up : true; key = head.dataset.key; page = 0;
      document.querySelectorAll('#people th').forEach((cell) => cell.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      pick();
    });
  });
  $('people-search').addEventListener('input', () => { page = 0; pick(); });
  $('people-kind').addEventListener('change', () => { page = 0; pick(); });
  $('people-back').addEventListener('click', () => { page -= 1; draw(); });
  $('people-on').addEventListener('click', () => { page += 1; draw(); });
  document.querySelectorAll('.scripted').forEach((node) => node.removeAttribute('hidden'));
  pick();
})();
