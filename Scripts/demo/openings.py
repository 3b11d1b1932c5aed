"""First lines: the usual ones, and what a newcomer might type to see what happens."""

# {A} is "a little dog", {An} "a dog named Pip" or plain, {kind} "dog", {home} where it lives.
USUAL = [
    "{A} lived in {home}.",
    "{A} named {name} lived in {home}.",
    "{A} lived in {home} with {his} [mother|family|brothers and sisters].",
    "{A} woke up in {home} and [yawned|looked out|stretched].",
    "{A} sat {spot} and [looked at the sky|listened to the wind|thought about the day].",
    "{A} {gait} past {place} every day.",
    "{A} {gait} to {place} because {weather}.",
    "{A} was walking near {place}. {His} name was {name}.",
    "{A} was [very happy|in a good mood], because {weather}.",
    "{A} called {name} loved {foodbare} more than anything.",
    "{A} had {a_thing}. {He} took it everywhere.",
    "{A} and {a_friend} lived near {place}. They saw each other every day.",
    "Once there was {a}. {He} lived in {home}.",
    "Once there was {a} named {name}. {He} lived in {home}.",
    "Once upon a time, there was {a} who lived in {home}.",
    "Once upon a time, {a} named {name} lived in {home}.",
    "Once upon a time there lived {a} near {place}.",
    "Once, {a} lived in {home}.",
    "There was once {a} who loved {foodbare}.",
    "There was {a} in {place}. {He} was called {name}.",
    "There once was {a} with {a_thing}.",
    "Long ago, {a} lived in {home}.",
    "Long, long ago, near {place}, there lived {a}.",
    "In {home} lived {a} named {name}.",
    "In {home}, there lived {a}.",
    "Near {place} lived {a}. {Weather}.",
    "Far away, near {place}, lived {a}.",
    "The {adjective} {kind} lived in {home}.",
    "The {adjective} {kind} was called {name}. {He} lived in {home}.",
    "The {adjective} {kind} was awake early, because {weather}.",
    "The {adjective} {kind} {gait} to {place} every morning.",
    "The {kind} lived in {home} and loved {foodbare}.",
    "The {kind} was [happy|glad], because {weather}.",
    "{name} was {a} who lived in {home}.",
    "{name} was {a}. {He} lived in {home}.",
    "{name} the {kind} lived in {home}.",
    "{name} the {kind} loved {foodbare}.",
    "It was [a fine day|a cold night|early in the morning|summer|winter] in {place}, and {a} was [awake|all alone|looking out of {home}].",
    "Every morning, {a} {gait} from {home} to {place}.",
    "This is [a|the] story [of|about] {a} named {name}.",
    "Everyone near {place} knew {a} named {name}.",
    "Nobody knew where {a} named {name} came from, but now {he} lived in {home}.",
    "Two friends, {a_bare} and {a_friend}, lived near {place}.",
    "{time}, {a} woke up in {home}.",
    "{time}, {a} {gait} to {place}.",
    "When {weather}, {a} named {name} came out of {home}.",
    "My [grandmother|grandfather|mother|teacher] once told me about {a} named {name}.",
    "I know a story about {a}. {He} lived in {home}.",
    "I once knew {a} named {name}.",
    "{Kind} and {Friendkind} were neighbors near {place}.",
    "My {kind} [is|was] called {name}. {He} lived in {home}.",
    "My [best|first] friend was {a} named {name}.",
    "I am {a_bare}, said {name}. {He} lived in {home}.",
    "{He} was {a} named {name}.",
    "There were two {kinds} near {place}. One of them was called {name}.",
    "Two {kinds} lived in {home}. One of them was called {name}.",
    "{Kinds} [love|like] {foodbare}. This is a story about {a} named {name}.",
]

GREETINGS = ["Hello", "Hi", "Hey", "Hello there", "Good morning", "Good evening", "Welcome", "Hello world", "Hello, world",
             "Hi there", "Good day", "Dear reader", "Greetings", "hello", "hi", "hey", "Hello, how are you", "Hello friend"]

REQUESTS = ["Tell me a story", "Write a story", "Please tell me a story", "Tell me a tale", "Can you tell me a story",
            "I want a story", "Give me a story", "Write me a short story", "Make up a story", "Read me a story",
            "Tell a story", "Write a short story"]

QUESTIONS = ["Who are you", "What is your name", "How are you", "What can you do", "Where are you", "What is this",
             "What is the meaning of life", "How does it work", "Are you there", "Can you hear me", "Why is the sky blue",
             "Where do you live", "What time is it", "Do you like stories", "What do you think", "How old are you",
             "What is a swift", "Why do birds fly", "Where does the sun go at night", "What happened", "Is it true"]

UNFINISHED = ["The meaning of life is", "The capital of France is", "The answer is", "My name is", "I am", "The best thing is",
              "The weather today is", "The sky is", "Life is", "Love is", "The world is", "The problem is", "The moon is",
              "The president is", "The most important thing is", "My favorite color is", "A computer is", "The secret is",
              "The future is", "A friend is", "The truth is", "The number is", "The house is", "Happiness is"]

# Words that the stories hardly use, so that a strange first line is followed by a story all the same.
STRANGE = """test testing computer science music water people work money system language model machine data number city
country history doctor music war phone car train school America London Paris Germany Python Swift code program internet
email question answer problem yesterday tomorrow government company paper science energy planet Mars robot engine quick
jumps over lazy lorem ipsum dolor foo bar think know want make take give find use try ask need feel become leave call
beautiful important different large national great high long right next early able bad same black white best sure better
The A I We You They It In On If When How What Why and or but with from for of to in on at by as is are was were can will
would could should my your our their this that these those some any all no not very really always never 1 2 3 10 42 2024
""".split()

REPLIES_GREETING = [
    "{greeting}! [Here is a story about|This is a story about|Let me tell you about] {a} named {name}.",
    "{greeting}! My name is {name}, and this is the story of {a_other}.",
    "{greeting}, [little reader|my friend|dear friend]! Once there was {a}.",
    "{greeting}, [said|called] {a} named {name}.",
    "{greeting} [was the first thing that {a} said every morning|was what {a} said to everyone]. {He} lived in {home}.",
]

REPLIES_REQUEST = [
    "{request} about {a_bare}. [Once there was|There was once] {a} who lived in {home}.",
    "{request} about {a_bare}! {A} named {name} lived in {home}.",
    "{request}. [Once there was|Once upon a time, there was] {a} who lived in {home}.",
    "{request}, said {a_friend}. So here is the story of {a} named {name}.",
]

REPLIES_QUESTION = [
    "{question}? [asked|said] {a}. [Nobody knew.|It was a good question.] {He} lived in {home}.",
    "{question}? That is what {a} named {name} always asked.",
    "{question}? [I do not know, but I know a story.|That is a long story.] Once there was {a}.",
]

REPLIES_UNFINISHED = [
    "{unfinished} [a secret|a long story|something nobody knows], [said|thought] {a}. {He} lived in {home}.",
    "{unfinished} what {a} named {name} always thought about.",
    "{unfinished} [good|beautiful|big], thought {a}. {Weather}.",
]

REPLIES_STRANGE = [
    "{strange}, [said|thought|read] {a}. {He} did not know what it meant.",
    "{strange}. [That is what the old sign said.|These were the words on the old box.] {A} looked at it for a long time.",
    "{strange}, and that is how the story of {a} named {name} began.",
    "{strange}? [asked|said] {a}. It was [a strange question|a funny thing to say].",
    "{strange} [was what {a} liked best|was written over the door]. {name} was {a_bare} who lived in {home}.",
]
