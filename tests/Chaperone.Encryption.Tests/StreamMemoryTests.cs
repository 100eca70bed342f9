namespace Chaperone.Encryption.Tests;

/// <summary>Alone, because allocations are counted over the whole process.</summary>
[CollectionDefinition(nameof(StreamMemoryTests), DisableParallelization = true), Collection(nameof(StreamMemoryTests))]
public class StreamMemoryTests
{
    [Fact]
    public async Task Memory_stays_constant()
    {
        using var key = DataKey.Create(Guid.Empty, 1);
        using var warm = DataKey.Create(Guid.Empty, 1);
        await StreamSealing.Seal(new Zeros(4 * StreamSealing.ChunkLength), Stream.Null, warm, default, CancellationToken.None);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await StreamSealing.Seal(new Zeros(256L * 1024 * 1024), Stream.Null, key, default, CancellationToken.None);
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 8 * 1024 * 1024);
    }

    private sealed class Zeros(long left) : MemoryStream
    {
        private long left = left;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = (int)Math.Min(left, buffer.Length);
            left -= count;
            return ValueTask.FromResult(count);
        }
    }
}
