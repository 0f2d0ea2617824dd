"""A small library of agents.

    CooperateBot      always cooperates
    DefectBot         always defects
    FairBot           cooperates if it can prove that the other cooperates with it
    PrudentBot        FairBot that also wants a proof, in PA+1, that the other defects against DefectBot
    PlainPrudentBot   PrudentBot with the plain box in place of PA+1: it defects against itself and FairBot
    JustBot           cooperates if it can prove that the other cooperates with FairBot
    TrollBot          cooperates if it can prove that the other cooperates with DefectBot
    TrustingBot       cooperates unless it can prove that the other defects
    PayorBot          cooperates if it can prove: were it provable that I cooperate, the other would
    PayorEBot         cooperates if it can prove: were it provable that everybody cooperates, everybody would

FairBot, PrudentBot, JustBot and TrollBot: Barasz et al., arXiv 1401.5577. PayorE: the agents of the n-agent form of
Payor's lemma (see `payor`); PayorBot is its form for two, which looks at the other alone.
"""

from tymbal.theory.modal.agent import Agent

CooperateBot = Agent("true", "CooperateBot")
DefectBot = Agent("false", "DefectBot")
FairBot = Agent("[]them(me)", "FairBot")
PrudentBot = Agent("[]them(me) & [1]~them(DefectBot)", "PrudentBot", knows=(DefectBot,))
PlainPrudentBot = Agent("[]them(me) & []~them(DefectBot)", "PlainPrudentBot", knows=(DefectBot,))
JustBot = Agent("[]them(FairBot)", "JustBot", knows=(FairBot,))
TrollBot = Agent("[]them(DefectBot)", "TrollBot", knows=(DefectBot,))
TrustingBot = Agent("~[]~them(me)", "TrustingBot")
PayorBot = Agent("[]([]me -> them)", "PayorBot")
PayorEBot = Agent("[]([]E -> E)", "PayorEBot")

LIBRARY: dict[str, Agent] = {
    agent.name: agent
    for agent in (
        CooperateBot,
        DefectBot,
        FairBot,
        PrudentBot,
        PlainPrudentBot,
        JustBot,
        TrollBot,
        TrustingBot,
        PayorBot,
        PayorEBot,
    )
}
"""the agents of this file by name, which any formula may mention"""
