"""Questions: messages, mentions, direct messages, /ask and the message menu; and their answers."""
