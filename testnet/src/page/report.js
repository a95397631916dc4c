'use strict';
// The sections in the order in which they are read. One that fails must not take the others along.

for (const part of [asserts, arrivals, shares, rounds, regions, spent, ways, links, timeLine, load, afterwards, members,
  calibration, nodeTable]) {
  try {
    part();
  } catch (error) {
    section(`failed-${part.name}`, 'This part could not be drawn', null, el('p', { class: 'note' }, String(error)));
  }
}
document.documentElement.dataset.drawn = 'yes';
