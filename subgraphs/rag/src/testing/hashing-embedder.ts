import { createHash } from 'node:crypto';
import { normalised, type Embedder } from '../engines/embedded/embedder.ts';

const dimensions = 1_024;

/**
 * A deterministic stand-in for a model of meaning: words, their beginnings, their pieces of three and four letters, and what they stand for are thrown
 * into dimensions by their hash. Of meaning it knows `senses` and no more, of forms and typing mistakes what letters tell.
 */
export const hashingEmbedder: Embedder = {
  model: 'hashed-words',
  dimensions,
  embed: (texts) => Promise.resolve(texts.map(vectorOf)),
};

const fillers = new Set(
  `a all also an and any are as at be by can de der die das des did do does ein eine for from get got had has have he her his how i if in is it its la
  le les me my no not of on one only or our out she should so than that the their them then there they this to up was we were what when where which who
  why wie will with would you your`.split(/\s+/),
);

/** Words of everyday life that mean nearly the same, by their beginnings: what any model of language has learned. */
const senses = `
  bike bicycl cycle fahrrad vélo | phone telephon mobile handy smartphone | package parcel paket colis shipment | furnitur wardrobe cupboard table möbel meuble
  courier driver carrier fahrer livreur postman | expensiv cost price fee charge kost coût frais | guarant warrant garantie gewährleist
  repair mend fix workshop reparat | weight heavy carry load kilogram | invoice bill receipt rechnung facture | logo emblem trademark
  buy purchas order acheter kauf bestell | cancel unsubscrib terminat end leave quit kündig | swap exchang replac ersatz switch
  refund money reimburs rembours erstatt | discount rebate percent voucher coupon promo | address anschrift adresse | home house flat wohnung
  open close hour uhr | present gift geschenk cadeau | broken damag fault defect kaputt mangel | child kid family husband wife famil
  car parking vehicle lorry auto | company firm business corporat | retailer reseller wholesal shop store dealer | temperatur hot warm degree heat
  electric power watt volt battery akku charg | descal decalcif limescale kalk | tank reservoir container | data privacy personal
  fast quick soon speed schnell | begin start first | keep store retention save | expir valid last run | wheelchair ramp lift accessib disab
  course lesson evening workshop class | milk froth steam foam | clean wash rinse laver | big large size small | picture photo image film camera footage`
  .split(/[|\n]/)
  .map((sense) => sense.trim().split(/\s+/))
  .filter(([first]) => first);

function vectorOf(text: string): Float32Array {
  const counts = new Map<string, number>();
  const add = (feature: string, weight: number): void =>
    void counts.set(feature, (counts.get(feature) ?? 0) + weight);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    if (fillers.has(word)) continue;
    const weight = Math.sqrt(word.length);
    add(`word ${word}`, weight);
    add(`beginning ${word.slice(0, 5)}`, weight);
    for (const [number, sense] of senses.entries())
      if (sense.some((beginning) => word.startsWith(beginning))) add(`sense ${number}`, 2 * weight);
    const padded = ` ${word} `;
    for (const size of [3, 4])
      for (let at = 0; at + size <= padded.length; at += 1) add(`piece ${padded.slice(at, at + size)}`, 0.5);
  }
  const vector = new Float32Array(dimensions);
  for (const [feature, count] of counts) {
    const { place, sign } = placeOf(feature);
    vector[place]! += sign * Math.sqrt(count);
  }
  return normalised(vector);
}

const places = new Map<string, { place: number; sign: number }>();

function placeOf(feature: string): { place: number; sign: number } {
  let made = places.get(feature);
  if (!made) {
    const hash = createHash('sha256').update(feature).digest();
    made = { place: hash.readUInt32LE(0) % dimensions, sign: hash[4]! % 2 ? 1 : -1 };
    places.set(feature, made);
  }
  return made;
}
