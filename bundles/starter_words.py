"""Plain English words of praise, blame and indifference, which the starter model learns beside the sample reviews.

A sample made by templates uses few words; these make the starter sensible on ordinary phrases before any training. They
are no part of a trained model. Knows nothing of how a model is fitted.
"""

from __future__ import annotations

from feedback.sentiment import Sentiment

_GOOD = """
amazing awesome beautiful best brilliant comfortable comfy cute delicious delighted durable easy elegant enjoy
enjoyed excellent exceptional fabulous fantastic fast favorite favourite flattering friendly generous glad
good gorgeous great handy happy helpful impressed impressive incredible kind like liked lovely love loved
loves marvellous nice outstanding perfect perfectly pleasant pleased polite pretty prompt quick recommend
recommended reliable satisfied smooth soft spotless stunning stylish sturdy super superb terrific thanks
thankful thrilled wonderful wow
"""
_BAD = """
angry annoyed annoying appalling awful bad broke broken cancelled cheap complain complaint crap damaged
defective dirty disappointed disappointing disappointment disaster disgusting dishonest dreadful expensive
fail failed failure fake fault faulty filthy flimsy fraud frustrated frustrating garbage hate hated hates
horrible horrid ignored incorrect itchy junk late lied lousy mess misleading missing mistake nasty nightmare
overpriced pathetic poor problem problems refund regret return returned returning ridiculous rip ripped ripoff
rubbish rude scam scratchy shoddy sloppy slow stained stopped terrible torn trash ugly unacceptable
uncomfortable unhappy unhelpful unusable upset useless waste wasted worse worst worthless wrong
"""
_MIXED = """
acceptable adequate alright average decent fair fine mediocre meh mixed moderate neutral ok okay ordinary
passable reasonable satisfactory so-so standard tolerable unremarkable usual
"""
_GOOD_PHRASES = """
fits perfectly; fits well; very happy; so happy; highly recommend; would buy again; will order again; great
quality; good quality; value for money; worth every penny; worth the price; exceeded my expectations; works
great; works perfectly; works like a charm; five stars; arrived early; fast delivery; quick delivery; no
complaints; not bad at all; can't fault it; could not be happier; couldn't be happier; thank you; well made;
true to size; great service; keep it up; love this; i love it; i love this dress; my favorite; problem solved;
best purchase ever; best ever
"""
_BAD_PHRASES = """
money back; want my money back; waste of money; not worth; not as described; not as pictured; does not work;
doesn't work; did not work; didn't work; stopped working; broke after one day; fell apart; falls apart; poor
quality; terrible quality; bad quality; never again; never arrived; still waiting; no answer; nobody answered;
nobody replied; no reply; no help; one star; zero stars; stay away; do not buy; don't buy; avoid; too small;
too tight; too expensive; not happy; not satisfied; would not recommend; wouldn't recommend; can't recommend;
cannot recommend; not recommended; sent it back; wrong size; wrong item; bad service; customer service is
terrible; rude staff; let down; very disappointed; so disappointed; ripped after; broke after; came apart; not
good; not what i expected; not what i ordered; no longer works; charged twice; worst purchase ever; worst ever
"""
_MIXED_PHRASES = """
it is okay; it's ok; it is fine; nothing special; nothing to write home about; not bad; not great; not great
not terrible; not good not bad; neither good nor bad; so so; could be better; could be worse; does the job;
good but; nice but; okay for the price; fine for the price; as expected; nothing more nothing less; mixed
feelings; on the fence; three stars; it is average; it does what it should; some good some bad; good and bad;
pros and cons; just okay; just ok; only okay; it is alright; no strong opinion; middle of the road
"""
_SUBJECTS = ("it is {}", "this is {}", "{} product", "the quality is {}", "very {}", "really {}")
_NEGATED = ("not {}", "it is not {}", "isn't {}", "wasn't {}", "not very {}", "not {} at all")


def phrases() -> list[tuple[str, Sentiment]]:
    """Every word alone and in short sentences, negated praise as blame, and the set phrases; always in this order."""
    made: list[tuple[str, Sentiment]] = []
    for words, sentiment in (
        (_GOOD, Sentiment.POSITIVE),
        (_BAD, Sentiment.NEGATIVE),
        (_MIXED, Sentiment.NEUTRAL),
    ):
        for word in words.split():
            made.append((word, sentiment))
            made += [(subject.format(word), sentiment) for subject in _SUBJECTS]
            if sentiment is Sentiment.POSITIVE:
                made += [(negated.format(word), Sentiment.NEGATIVE) for negated in _NEGATED]
    for listed, sentiment in (
        (_GOOD_PHRASES, Sentiment.POSITIVE),
        (_BAD_PHRASES, Sentiment.NEGATIVE),
        (_MIXED_PHRASES, Sentiment.NEUTRAL),
    ):
        for phrase in " ".join(listed.split()).split("; "):
            made += [(phrase, sentiment)] * 3
    return made
