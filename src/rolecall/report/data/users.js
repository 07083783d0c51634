(() => {
  const data = JSON.parse(document.getElementById('people-data').textContent);
  const rows = [], low = (text) => text.toLowerCase();
  const people = (n) => n.toLocaleString('en') + (n === 1 ? ' person' : ' people');
  data.forEach((move) => {
    const told = [move.kind, move.before, move.after, move.because].map(low).join('\n');
    const add = (name, n) => rows.push({ name, n, move, kind: move.kind, before: move.before, after: move.after,
      because: move.because, told: low(name) + '\n' + told });
    move.names.forEach((name) => add(name, 1));
    if (move.unnamed) add(people(move.unnamed), move.unnamed);
  });
  const $ = (id) => document.getElementById(id);
  const body = $('people-rows'), size = 100;
  let key = 'name', up = true, page = 0, shown = rows;
  const order = new Intl.Collator('en', { numeric: true }).compare;
  const cell = (row, value, cls) => {
    const td = row.insertCell(); td.textContent = value; if (cls) td.className = cls;
  };
  const draw = () => {
    const last = Math.max(0, Math.ceil(shown.length / size) - 1);
    page = Math.min(Math.max(page, 0), last);
    body.replaceChildren();
    shown.slice(page * size, page * size + size).forEach((item) => {
      const row = body.insertRow();
      cell(row, item.name, 'mono'); cell(row, item.kind); cell(row, item.before, 'before');
      cell(row, item.after, 'after'); cell(row, item.because, 'mono');
    });
    const found = people(shown.reduce((sum, row) => sum + row.n, 0));
    $('people-count').textContent = found + ', page ' + (page + 1) + ' of ' + (last + 1);
    $('people-back').disabled = page === 0; $('people-on').disabled = page === last;
  };
  const pick = () => {
    const words = $('people-search').value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = $('people-kind').value;
    shown = rows.filter((row) => (!kind || row.move.kind === kind || (kind === 'default' && row.move.on_default))
      && words.every((word) => row.told.includes(word)));
    shown.sort((a, b) => (up ? 1 : -1) * order(a[key], b[key]));
    draw();
  };
  document.querySelectorAll('#people th').forEach((head) => {
    const button = document.createElement('button');
    button.type = 'button'; button.textContent = head.textContent; head.replaceChildren(button);
    button.addEventListener('click', () => {
      up = key === head.dataset.key ? !up : true; key = head.dataset.key; page = 0;
      document.querySelectorAll('#people th').forEach((other) => other.removeAttribute('aria-sort'));
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
