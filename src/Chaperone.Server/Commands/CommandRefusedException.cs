namespace Chaperone.Server.Commands;

/// <summary>A command does not start; the message is one sentence or two for the person who typed it. Nothing was left half done.</summary>
internal sealed class CommandRefusedException(string message, Exception? inner = null) : Exception(message, inner);
