/** What the binary files of the corpus say; `make-corpus.ts` makes them of it. A line of `#` is a heading; every member of `pages` is a page. */
export const pdfFiles: Readonly<Record<string, readonly string[]>> = {
  'espresso-machine.pdf': [
    `# Tern espresso machine
Manual for the models T1 and T2. Read the page on safety before you fill the tank for the first time.
## Parts
The water tank holds 1.8 litres and is taken out upwards. The drip tray below the cups has a red float that rises when the tray is full. The portafilter has two baskets: the small one takes 9 grams of coffee, the large one 18.
## Safety
Steam can scald. Never open the cap of the boiler while the lamp is on. Pull the plug before cleaning, and do not put the machine under running water. Children under eight must not use it.`,
    `# First use
Rinse the tank and fill it with fresh water. Switch the machine on and wait until the green lamp stops blinking, which takes about four minutes. Let two cups of water run through without coffee.
## Making an espresso
Grind the beans as fine as table salt. Press the powder down evenly with about fifteen kilograms. The first drops should come after six seconds, and a cup of 30 millilitres should take twenty-five. If it runs faster, grind finer; if it only drips, grind coarser.
## Steaming milk
Use a cold steel jug and fill it to one third. Hold the tip of the wand just below the surface until the milk has grown by half, then lower it. Stop at 65 degrees: hotter milk tastes of egg. Wipe the wand at once.`,
    `# Cleaning and descaling
Rinse the portafilter after every use. Empty the tray daily. Once a week put the cleaning powder into the blind basket and start the washing programme with both buttons pressed.
## Descaling
The orange lamp tells you when it is time, after about 200 cups, or after 90 with hard water. Dissolve one sachet of citric acid in a litre of water, fill it in and hold the left button for five seconds. The programme takes twenty-two minutes. Rinse with two full tanks afterwards. Vinegar ruins the seals.
## Long absence
Before a holiday of more than two weeks empty the tank and the boiler. A machine that stood in frost must warm up for a day before it is switched on.`,
    `# Faults
All lamps blink: the tank is empty or not pushed in. Red lamp alone: the boiler is too hot, leave the machine alone for half an hour.
Water below the machine: the seal of the boiler is worn. It is part number TN-204, and you can change it yourself with a coin.
The pump is loud and no water comes: there is air in the hose. Open the steam tap for ten seconds.
## Technical data
Mains 230 volts, 1,350 watts. Pressure of the pump 15 bar. Weight 7.4 kilograms. The cable is 1.1 metres long. Noise at one metre 61 decibels.
## Disposal
Do not throw the machine into the household rubbish. Bring it to a collection point, or give it to our driver when a new one is delivered.`,
  ],
  'city-bicycle.pdf': [
    `# Gull city bicycle
Owner's manual. The number of the frame is stamped below the bottom bracket; write it down, the police will ask for it after a theft.
## Your size
Frames come in 48, 53 and 58 centimetres. With your heel on the pedal the leg should be straight. Riders below 155 centimetres take the smallest frame. The whole bicycle may carry 130 kilograms, rider and luggage together.
## Before each ride
Squeeze both brakes, spin the wheels, ring the bell. Press the tyre with your thumb: it must not give way.`,
    `# Riding and care
The front tyre wants 3.5 bar and the rear one 4 bar. Pump them up every three weeks, because rubber lets air through even when nobody rides.
## Gears
The hub has eight speeds. Change them while you do not push the pedals. If it slips in fourth, line up the two yellow marks on the hub by turning the screw at the handle.
## Chain
Clean the chain with a dry cloth each month and give every link one drop of oil. A chain lasts about 4,000 kilometres; a worn one ruins the sprocket.
## Brakes
Pads must be changed when their grooves are gone. New ones need some thirty stops before they bite.`,
    `# Electric drive
The battery sits below the carrier and is locked with the small key. Charge it between 5 and 30 degrees. A full charge takes four and a half hours and lasts for 70 kilometres on flat roads with medium support.
## In winter
Cold halves the range. Take the battery inside overnight, and keep it at 60 per cent when you do not ride for months.
## Error codes
E07: the sensor at the wheel sees no magnet; move the magnet towards it. E11: the motor is too warm; ride without support for ten minutes. E21: the battery is not locked in.
## Transport
Do not carry the bicycle on a car with the battery in it. Airlines do not take the battery at all.`,
  ],
};

export const docxFiles: Readonly<Record<string, string>> = {
  'wholesale-terms.docx': `# Terms for resellers
These terms hold between Ferrygate Goods and shops that sell our products on.
## Becoming a reseller
Send us an extract from the trade register and a photograph of your shop window. We answer within ten days. Marketplaces on the internet are not supplied.
## Prices and minimum quantity
Resellers get 38 per cent off the price in our shop. A first order has to reach 600 €, every further one 250 €. Prices are fixed for a season and are announced six weeks before it begins.
## Delivery on pallets
Pallets leave on Wednesdays. Unloading is up to you: the lorry has no tail lift. Euro pallets are exchanged one for one; whoever has none to give back is charged 14 € apiece.
## Payment
The first order is paid in advance. After that invoices are due within thirty days, with two per cent off when paid within eight. Whoever is late pays nine points above the base rate.
## Unsold goods
At the end of a season we take back up to a tenth of what you bought, unopened, against a credit note. Perishable goods stay with you.
## Ending the contract
Either side can end it in writing with three months' notice to the end of a quarter.`,
  'care-guide.docx': `# Caring for what you bought
## Knives
Wash knives by hand and dry them at once. The dishwasher blunts the edge and loosens the rivets. Cut on wood or plastic, never on glass or stone. A ceramic rod straightens the edge; a real grinding is due once a year.
## Cast iron pans
Do not use soap. Scrub with coarse salt and a rag, warm the pan and rub it with a thin film of linseed oil. Rust is no reason to throw a pan away: sand it off and season the pan anew, for an hour at 200 degrees.
## Oak tables
Oil the top twice a year. Wipe up red wine within minutes. Rings left by hot cups disappear under a warm iron and a cotton cloth. Dry air in winter opens small cracks, which close again in spring.
## Wool blankets
Air them over night instead of washing them. If washing is needed, use cold water and a spoonful of vinegar, and dry them lying flat. Cedar wood keeps moths away better than lavender does.
## Linen
Linen can be washed at 60 degrees and becomes softer each time. Iron it while it is damp. The first wash takes about four per cent of its length.
## Brass lamps
Lemon juice and salt take off the dark layer. Whoever likes the dark layer leaves it alone, because it protects the metal.`,
};
