namespace Chaperone.Ledger;

/// <summary>Base64 as the C2SP formats want it: standard alphabet, padded, canonical, no white space (the BCL tolerates white space and stray bits).</summary>
internal static class Base64Text
{
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.Length % 4 != 0) return false;
        var buffer = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64Chars(text, buffer, out var written)) return false;
        bytes = buffer.AsSpan(0, written).ToArray();
        return text.SequenceEqual(Convert.ToBase64String(bytes));
    }
}
