import ipaddr from 'ipaddr.js';

/** Ranges that ipaddr.js calls unicast and that lead inside all the same, or to a translator that does. */
const alsoPrivate = [
  '64:ff9b::/96', // NAT64
  '64:ff9b:1::/48', // local-use NAT64
  '2002::/16', // 6to4
  '2001::/32', // Teredo
  '100::/64', // discard
  '100.64.0.0/10', // carriers' NAT
  '168.63.129.16/32', // the host of a virtual machine in Azure
  '192.0.0.0/24', // IETF protocol assignments
  '192.88.99.0/24', // 6to4 relays
  '198.18.0.0/15', // benchmarks
  '0.0.0.0/8',
  '240.0.0.0/4',
].map((range) => ipaddr.parseCIDR(range));

/** True for an address of the public Internet, and for no other: not private, local, shared, reserved, translated or mapped to one that is. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text); // an IPv4 address that is mapped into IPv6 is judged as what it is
  return (
    address.range() === 'unicast' &&
    !alsoPrivate.some(([net, bits]) => net.kind() === address.kind() && address.match(net, bits))
  );
}
