namespace Chaperone.Platform;

/// <summary>The one place where ids are made: UUIDv7, so that an id orders by the time it was made at (milliseconds).</summary>
public static class Ids
{
#pragma warning disable RS0030 // this is the one place
    /// <summary>A new id for something that comes into being at <paramref name="now"/>.</summary>
    public static Guid New(DateTimeOffset now) => Guid.CreateVersion7(now);
#pragma warning restore RS0030
}
