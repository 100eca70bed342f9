namespace Chaperone.Encryption;

/// <summary>
/// Something sealed did not open: changed, moved to another place, cut short, or sealed under another key. A critical event for whoever catches it; never to be
/// answered with an empty value, and never with the reason shown to the client. The message holds ids only.
/// </summary>
public sealed class SealBrokenException : Exception
{
    /// <summary>The message names ids only.</summary>
    public SealBrokenException(string message, Exception? inner = null) : base(message, inner) { }
}
