namespace Chaperone.Witness;

/// <summary>The witness does not start; the message is a sentence or two for the person who typed the command.</summary>
internal sealed class WitnessRefusedException(string message, Exception? inner = null) : Exception(message, inner);
