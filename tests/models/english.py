"""English sentences of many kinds: what translations are compared on."""

from itertools import cycle, islice

from attention import presets
from attention.analysis.pair_sentences import PAIRS

WRITTEN = """
The ferry leaves at seven in the morning and comes back before dark.
How much does a ticket to the coast cost?
My grandmother keeps her old letters in a wooden box under the bed.
Don't forget to water the plants while we are away.
The engineers found a small crack in the wing of the aircraft.
She has been learning the violin since she was six years old.
Where can I find a good bakery near the station?
The parliament voted against the new law on Thursday.
If it snows tonight, the schools will stay closed tomorrow.
He closed the door quietly so that nobody would wake up.
Two thirds of the Earth's surface is covered by water.
The mayor promised to plant ten thousand trees by 2030.
I can't believe you ate the whole cake by yourself!
The novel was translated into more than forty languages.
Every Sunday the whole village meets in the square.
The patient was given antibiotics for the infection.
Would you like coffee or tea?
The bridge, which was built by the Romans, is still in use.
Nobody knows why the dinosaurs disappeared so suddenly.
We ran out of bread, milk and eggs.
The judge listened to both sides before she made a decision.
There were no free seats left on the train.
A thief stole three paintings from the museum last night.
Please send me the report by Friday at noon.
The children built a castle out of sand and shells.
Her speech lasted forty-five minutes, and nobody was bored.
The temperature fell to minus twelve degrees.
He speaks four languages, but he can't cook an egg.
The company hired a hundred new workers in spring.
You should have told me earlier.
The moon was so bright that we could read outside.
Scientists discovered a new species of frog in the rainforest.
The shop is open from nine to six, except on Sundays.
I have never seen such a beautiful sunset.
The king gave half of his land to the poor.
Who left the lights on in the kitchen?
The old clock in the tower strikes every quarter of an hour.
They moved to the countryside because the rent was too high.
A good friend tells you the truth even when it hurts.
The bus was late again, so I walked to work.
The doctor advised him to stop smoking.
Turn left at the second traffic light and go straight on.
The film is based on a true story.
Our team lost the final by a single point.
The dog barked at the postman all morning.
She bought a second-hand bicycle for eighty euros.
The soup is too salty for me.
Farmers are worried about the lack of rain.
He was born in Lisbon but grew up in Canada.
The glass fell off the table and broke into a thousand pieces.
Have you ever been to Japan?
The teacher asked the pupils to open their books.
Bees are important because they pollinate flowers.
My phone battery is almost empty.
The war lasted thirty years and ruined the country.
It is cheaper to fly than to take the train.
The lawyer read the contract twice and signed it.
The baby has just fallen asleep.
Snow covered the roofs of the silent town.
The price of oil has doubled since January.
We spent our holidays on a small Greek island.
The queen opened the new hospital in May.
There is a spider in the bathroom!
The wind was so strong that the boats stayed in the harbour.
He who laughs last laughs best.
The library has more than a million books.
Can you lend me your umbrella?
The painter used only three colours.
The prisoners dug a tunnel under the wall.
Light travels faster than sound.
Her brother is taller than her father.
The police are looking for a man with a grey coat.
The recipe needs two cups of flour and a pinch of salt.
I would rather stay at home tonight.
The river froze for the first time in fifty years.
A tired nurse fell asleep on the last bus.
The software stops working when the file is empty.
The monks made cheese and sold it at the market.
It took us three hours to climb the hill.
The president met the families of the victims.
The cake that you made yesterday was delicious.
The battery lasts about ten hours.
He lost his keys somewhere between the office and the car.
The new road will connect both cities.
Why is the sky blue?
She smiled when she heard the news.
The wolf waited until the sheep were alone.
Many species will die out if the seas get warmer.
The letter arrived a week too late.
You must wear a helmet on the building site.
The choir sang three songs in Latin.
A fire destroyed the roof of the cathedral.
The university offers courses in the evening.
His hands were shaking when he opened the envelope.
The market is closed on public holidays.
They have two sons and a daughter.
The captain decided to turn the ship around.
Fresh fruit is cheaper in summer.
The neighbours complained about the noise.
The experiment failed because the water was too warm.
We are looking forward to seeing you again.
The cheese smells worse than it tastes.
An apple a day keeps the doctor away.
The author writes at night and sleeps until noon.
The tourists took photographs of the ruins.
The government wants to reduce taxes next year.
The horse jumped over the fence and ran away.
There is nothing new under the sun.
Wash your hands before you eat.
The actor forgot his lines in the second act.
The train to Porto leaves from platform five.
The vase on the shelf belonged to my aunt.
The birds fly south when it gets cold.
The museum shows paintings by young artists from Africa.
The computer is faster than the old one, but it is also louder.
She was the first woman to win the prize.
The mechanic repaired the brakes in an hour.
The road was blocked by a fallen tree.
Time is money.
The committee will publish its report in September.
The cook added a little pepper to the sauce.
"""

WHO = ("The teacher", "My uncle", "A young doctor", "The old fisherman", "Our neighbour",
       "The queen", "Her sister", "A tall man", "The students", "Nobody")  # fmt: skip
DID = ("found", "bought", "painted", "lost", "sold", "wanted", "forgot")
WHAT = ("a blue bicycle", "the golden ring", "three small boats", "an empty house", "some bread",
        "the letters", "a map of the island", "two wooden chairs", "the last ticket",
        "a strange book", "fresh fish")  # fmt: skip
WHEN = ("yesterday.", "in the morning.", "after the war.", "last summer.", "on Monday.",
        "before the storm.", "at the market.", "near the old bridge.", "in Lisbon.",
        "for the children.", "without a word.", "again and again.", "for ten euros.")  # fmt: skip


def put_together(count):
    """Return sentences of the parts above: their numbers share no factor, so none comes twice."""
    parts = zip(cycle(WHO), cycle(DID), cycle(WHAT), cycle(WHEN), strict=False)
    return [" ".join(some) for some in islice(parts, count)]


def sentences():
    """Return all of them, each once."""
    pairs = [text for pair in PAIRS for text in pair.texts]
    lesson = [preset.text for preset in presets.PRESETS]
    written = WRITTEN.strip().splitlines()
    return list(dict.fromkeys([*written, *put_together(150), *pairs, *lesson]))
