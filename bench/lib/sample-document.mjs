/** A document of about 400 bytes. */
export function sampleDocument(n) {
  return {
    name: `document ${n}`,
    active: n % 2 === 0,
    count: n,
    price: n + 0.5,
    tags: ['alpha', 'beta', 'gamma'],
    address: { street: '12 Long Street', city: 'Springfield', zip: '12345', country: 'Nowhere' },
    description: 'x'.repeat(160),
  };
}
