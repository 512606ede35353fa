"""The words of the sample reviews: what people say about a purchase, by aspect and by tone.

Responsible for material only. It does not know how it is put together (`cli.sample`). `{item}` and `{part}` are filled
from the product, the other braces from SLOTS.
"""

from __future__ import annotations

DEPARTMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "Tops": {
        "blouse": ("collar", "left sleeve", "top button", "hem"),
        "t-shirt": ("neckline", "sleeve", "print", "side seam"),
        "sweater": ("cuff", "neckline", "knit", "hem"),
        "cardigan": ("top button", "pocket", "sleeve", "knit"),
    },
    "Dresses": {
        "dress": ("waist", "strap", "lining", "hem"),
        "maxi dress": ("slit", "bodice", "lining", "strap"),
        "shirt dress": ("belt", "collar", "second button", "pocket"),
    },
    "Bottoms": {
        "pair of jeans": ("waistband", "zip", "back pocket", "left leg"),
        "skirt": ("pleat", "zip", "lining", "waistband"),
        "jumpsuit": ("waistband", "crotch", "hem", "pocket"),
    },
    "Jackets": {
        "coat": ("hood", "lining", "zip", "pocket"),
        "rain jacket": ("hood", "cuff", "zip", "back seam"),
        "blazer": ("lapel", "shoulder", "lining", "button"),
    },
    "Shoes": {
        "pair of boots": ("sole", "zip", "heel", "left shoe"),
        "pair of trainers": ("sole", "tongue", "toe cap", "insole"),
        "pair of sandals": ("strap", "buckle", "footbed", "heel"),
    },
    "Accessories": {
        "handbag": ("strap", "clasp", "lining", "inner pocket"),
        "scarf": ("fringe", "edge", "weave", "print"),
        "umbrella": ("handle", "frame", "canopy", "cover"),
    },
    "Home": {
        "duvet cover": ("button row", "seam", "print", "corner"),
        "desk lamp": ("switch", "shade", "arm", "cable"),
        "throw blanket": ("edge", "weave", "fringe", "label"),
    },
}

# What can only be said of something that is worn.
WORN = ("fit", "size", "comfort")
NOT_WORN = ("Accessories", "Home")

SLOTS: dict[str, tuple[str, ...]] = {
    "colour": ("navy", "olive", "rust", "cream", "dusty pink", "teal", "black", "mustard", "grey", "burgundy"),
    "size": ("small", "medium", "large", "XS", "XL", "size 10", "size 12", "petite", "size 38"),
    "person": ("my sister", "my husband", "my mum", "my daughter", "a friend", "my colleague", "my flatmate"),
    "place": (
        "the office",
        "a wedding",
        "our holiday",
        "school runs",
        "a job interview",
        "the garden",
        "a long flight",
    ),
    "event": ("the office", "a wedding", "a birthday party", "a job interview", "a christening", "work"),
    "time": ("two days", "a week", "three weeks", "a month", "half a year", "one wash", "three washes", "an evening"),
    "days": ("two days", "three days", "a week", "ten days", "three weeks"),
    "price": ("40", "60", "75", "90", "120", "150"),
    "very": ("really", "very", "so", "quite", "extremely", "genuinely", "absolutely"),
    "bit": ("a bit", "slightly", "a little", "somewhat", "a touch"),
}

ASPECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "fit": {
        "good": (
            "the {item} fits like it was made for me",
            "it sits exactly where it should",
            "the cut is {very} flattering",
            "the fit is spot on, no gaping at the {part}",
            "fits {very} well, also around the {part}",
            "it hangs beautifully and doesn't pull anywhere",
            "I can move freely in it",
        ),
        "bad": (
            "the {item} doesn't sit right at all, the {part} pulls",
            "the cut is shapeless and makes me look twice my size",
            "it gapes at the {part} whenever I move",
            "the fit is way off compared with the picture",
            "I could hardly get it on, the {part} is far too tight",
            "it bunches up around the {part} all day",
            "I look like I'm wearing a sack",
        ),
        "mixed": (
            "the fit is ok, nothing special",
            "it fits, though the {part} could be better",
            "the fit depends on how you wear it I suppose",
            "it's {bit} boxier than I'd pictured",
            "the shape is fine standing up, less so sitting down",
        ),
    },
    "size": {
        "good": (
            "true to size, my usual {size} was right",
            "I ordered {size} and it was perfect",
            "the size chart is accurate for once",
            "it comes up exactly as described, {size} fits",
        ),
        "bad": (
            "the sizing is a joke, my {size} was miles too big",
            "runs {very} small, I'd have needed two sizes up",
            "the size chart is plain wrong",
            "I got {size} although the label says otherwise",
            "ordered my usual {size} and couldn't close it",
        ),
        "mixed": (
            "it runs {bit} large, so size down",
            "I'm between sizes and the {size} is just about wearable",
            "the {size} is roomy, which may or may not suit you",
            "sizing is {bit} odd but I made it work",
        ),
    },
    "fabric": {
        "good": (
            "the fabric is {very} soft",
            "the material feels far more expensive than it was",
            "it's lovely and warm without being heavy",
            "the material doesn't crease, not even after {time}",
            "no scratching, no static, just nice to touch",
            "the {part} is beautifully finished",
        ),
        "bad": (
            "the fabric is thin and see-through",
            "it scratches so much that I can't wear it",
            "the material feels like plastic",
            "it creases as soon as you look at it",
            "it smelled of chemicals even after {time}",
            "the {part} is cheap and nasty",
        ),
        "mixed": (
            "the material is thinner than expected, which is fine for summer",
            "the fabric is average for the price",
            "it's {bit} stiff at first, it might soften",
            "the material is neither good nor bad",
        ),
    },
    "quality": {
        "good": (
            "still looks new after {time}",
            "well made, every seam is straight",
            "the {part} is sturdy and feels like it'll last",
            "I've worn it for {time} and nothing has come loose",
            "it survived {time} without a mark",
        ),
        "bad": (
            "the {part} came apart after {time}",
            "it fell to pieces after {time}",
            "there was a hole near the {part} when I unpacked it",
            "loose threads everywhere, and the {part} is crooked",
            "it pilled after {time} and now looks ancient",
            "the {part} broke the second time I used it",
        ),
        "mixed": (
            "a few loose threads at the {part}, easily cut off",
            "it's decent quality, I've had better and worse",
            "too early to say how the {part} will hold up",
            "the {part} seems a bit flimsy but hasn't failed so far",
        ),
    },
    "colour": {
        "good": (
            "the {colour} is even nicer in real life",
            "the colour is exactly as shown",
            "I get compliments on the {colour} every time",
            "the {colour} goes with everything I own",
        ),
        "bad": (
            "the {colour} is nothing like the photo",
            "the colour washed out after {time}",
            "I ordered {colour} and got something that looks like mud",
            "the dye rubbed off on my skin",
        ),
        "mixed": (
            "the {colour} is {bit} darker than on screen",
            "the colour is not what I pictured, not bad either",
            "in daylight the {colour} looks different, you get used to it",
        ),
    },
    "delivery": {
        "good": (
            "it arrived within {days}, earlier than promised",
            "delivery was quick and the parcel was neatly packed",
            "shipping was fast, no complaints",
            "it came the next morning",
        ),
        "bad": (
            "it took {days} to arrive and nobody could tell me where it was",
            "the parcel was torn open when it came",
            "delivered to the wrong address and I had to chase it",
            "they sent the wrong {item} first and then nothing for {days}",
            "still waiting for the refund after {days}",
        ),
        "mixed": (
            "delivery took {days}, about what they say",
            "the box was dented, the {item} itself was fine",
            "it came in two parcels for some reason",
        ),
    },
    "service": {
        "good": (
            "customer service answered within minutes and were {very} kind",
            "returning the first {size} was painless",
            "the woman on the chat sorted it out straight away",
            "they replaced it without any fuss",
        ),
        "bad": (
            "customer service never answered my emails",
            "the return was a nightmare",
            "they refused to take it back even though the {part} was broken",
            "I was kept on hold and then cut off",
            "the chat kept sending me in circles",
        ),
        "mixed": (
            "service was polite but couldn't do much",
            "it took a few mails until they understood",
            "the return is possible, you pay the postage",
        ),
    },
    "price": {
        "good": (
            "worth every penny",
            "a bargain at {price}",
            "I'd have paid more for this",
            "hard to beat at this price",
        ),
        "bad": (
            "not worth the {price} I paid",
            "far too expensive for what you get",
            "{price} for this is daylight robbery",
            "I've had better from the supermarket for a quarter of the price",
        ),
        "mixed": (
            "it's ok for {price}, I'd wait for the sale",
            "you get what you pay for",
            "the price is fair I guess",
            "pricey, but so is everything now",
        ),
    },
    "comfort": {
        "good": (
            "I wore it all day at {event} and forgot I had it on",
            "so comfortable that I bought a second one",
            "perfect for {place}",
            "nothing rubs or pinches",
        ),
        "bad": (
            "it was unbearable after an hour at {event}",
            "the {part} rubs until it hurts",
            "it rides up constantly",
            "I was sweating and itching all the way through {event}",
        ),
        "mixed": (
            "comfortable enough for an hour or two",
            "the {part} takes some getting used to",
            "it's fine for {place}, not for much else",
        ),
    },
    "looks": {
        "good": (
            "it looks {very} elegant",
            "{person} wants one too now",
            "everyone at {event} asked where I got it",
            "the details at the {part} are gorgeous",
        ),
        "bad": (
            "it looks nothing like the pictures",
            "{person} asked if I was wearing a costume",
            "the {part} looks ridiculous",
            "it makes even a tall person look frumpy",
        ),
        "mixed": (
            "it looks plain, which is maybe the point",
            "{person} likes it, I'm not so sure",
            "the style is not really me but it's well done",
        ),
    },
}

SETTINGS: tuple[str, ...] = (
    "I bought this {item} for {place}.",
    "Got the {item} in {colour}.",
    "Ordered the {colour} one in {size}.",
    "This was a present for {person}.",
    "I've been looking for a {colour} {item} for ages.",
    "Saw it on {person} and ordered the same.",
    "My second {item} from this shop.",
    "First time ordering here.",
    "I rarely write reviews.",
    "I read the other reviews before ordering.",
    "Bought it in the sale for {price}.",
    "Had high hopes for this one.",
    "I wasn't going to buy it at first.",
    "The pictures caught my eye.",
)

FACTS: tuple[str, ...] = (
    "I'm 5'4\" and took the {size}.",
    "For reference I usually wear {size}.",
    "It has to be washed at 30 degrees.",
    "I have it in {colour}.",
    "I have only worn it once so far.",
    "Haven't washed it yet.",
    "{person} has the same one in {colour}.",
    "The {part} is different from last year's model.",
    "It comes in a cloth bag.",
    "Will see how it does after {time}.",
    "I compared it with one from another shop.",
    "There is no care label on the {part}.",
)

HEDGES: tuple[str, ...] = (
    "I have to say ",
    "in my opinion ",
    "to be fair ",
    "honestly, ",
    "sadly or not, ",
    "maybe it's just me but ",
    "I wouldn't say it's perfect, but ",
    "not going to lie, ",
    "I can't say otherwise: ",
    "as others wrote, ",
)

IRONY: tuple[str, ...] = (
    "Well, that was a great way to spend {price}.",
    "Wonderful, just what I needed.",
    "If you love sending parcels back, this {item} is perfect for you.",
    "Congratulations, best joke of the year.",
    "Lovely packaging. Shame about the {item}.",
)

CLOSERS: dict[str, tuple[str, ...]] = {
    "good": (
        "Would buy again.",
        "Highly recommended!",
        "I love it.",
        "So happy with this.",
        "Can't fault it.",
        "It will not be going back.",
        "I already ordered another one in {colour}.",
        "Exactly what I wanted.",
        "Don't hesitate, get it.",
        "Five stars from me.",
        "No regrets at all.",
        "My new favourite {item}.",
    ),
    "bad": (
        "Very disappointed.",
        "Sent it straight back.",
        "I want my money back.",
        "Avoid.",
        "Never again.",
        "Don't be fooled by the photos.",
        "I expected so much better.",
        "It's going back.",
        "I wouldn't recommend it to anyone.",
        "I wish I could love it, but no.",
        "What a waste of money.",
        "The good reviews must be about another {item}.",
    ),
    "mixed": (
        "It's ok.",
        "Not sure if I'll keep it.",
        "Does the job.",
        "Average, really.",
        "Could be better, could be worse.",
        "I wanted to love it more than I do.",
        "I'm keeping it for now.",
        "Nothing to write home about.",
        "Neither thrilled nor annoyed.",
        "Maybe try it in a shop first.",
        "Some will like it.",
    ),
}

TITLES: dict[str, tuple[str, ...]] = {
    "good": (
        "Love it",
        "Perfect {item}",
        "So pleased",
        "Better than expected",
        "Great {item}!",
        "My favourite",
        "Beautiful {colour}",
        "Compliments everywhere",
        "Just right",
        "Worth it",
    ),
    "bad": (
        "Disappointing",
        "Not what I ordered",
        "Poor quality",
        "Going back",
        "Save your money",
        "Wanted to love it",
        "Terrible {item}",
        "Never again",
        "Nope",
        "Looks nothing like the photo",
    ),
    "mixed": (
        "It's ok",
        "Mixed feelings",
        "Not bad",
        "Nice, but",
        "Decent {item}",
        "So-so",
        "Average",
        "{colour} {item}",
        "Good idea, hmm",
        "Could be better",
    ),
}
