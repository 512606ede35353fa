import pytest

from feedback.sentiment import CLASSES, LABELS, UNSURE, Sentiment, from_stars


def test_classes_stand_in_the_order_of_the_logits():
    assert LABELS == ("negative", "neutral", "positive")
    assert [int(sentiment) for sentiment in CLASSES] == [-1, 0, 1]
    assert [sentiment.class_index for sentiment in CLASSES] == [0, 1, 2]


@pytest.mark.parametrize(
    ("stars", "label"), [(1, "negative"), (2, "negative"), (3, "neutral"), (4, "positive"), (5, "positive")]
)
def test_stars_become_sentiments(stars, label):
    assert from_stars(stars).label == label


@pytest.mark.parametrize("stars", [0, 6, -1, True, 2.5])
def test_what_is_no_rating_is_refused(stars):
    with pytest.raises(ValueError, match="1 to 5"):
        from_stars(stars)


def test_every_label_leads_back_to_its_sentiment_and_unsure_to_none():
    assert [Sentiment.from_label(label) for label in LABELS] == list(CLASSES)
    with pytest.raises(ValueError, match="no sentiment"):
        Sentiment.from_label(UNSURE)
