"""Twenty sentences to be spoken and heard again: no engine and no rule was tuned with them."""

SENTENCES = (
    "The ferry leaves the island shortly after breakfast.",
    "Could you tell me where the nearest pharmacy is?",
    "She planted tomatoes behind the old stone wall.",
    "What a wonderful surprise to see you here tonight!",
    "My brother repairs bicycles in a small workshop by the river.",
    "Nobody expected the bridge to be finished before winter.",
    "Please turn off the lights when you leave the office.",
    "The museum opens at nine and closes at five.",
    "We waited an hour for the bus, and then it started to rain.",
    "Honestly, I have never tasted better bread than this.",
    "The captain ordered his crew to lower the sails.",
    "If the weather stays dry, we will paint the fence on Saturday.",
    "Twelve students passed the exam, and three have to repeat it.",
    "Her grandmother kept every letter in a wooden box.",
    "Don't forget to water the plants while I am away.",
    "The doctor said that the wound would heal within two weeks.",
    "Children were laughing and chasing each other across the meadow.",
    "He opened the window, listened for a moment, and smiled.",
    "The price of coffee has risen again this year.",
    "A gentle wind carried the smell of pine trees down the valley.",
)
