using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>Ends the session it is asked in.</summary>
internal sealed record SignOut : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.logout").ForSelf("one's own session", beforeEnrolment: true);
}

internal sealed class SignOutHandler : IHandler<SignOut, Done>
{
    public async Task<Result<Done>> Handle(SignOut request, OperationScope scope, CancellationToken cancel)
    {
        var session = scope.Actor.SessionId;
        await scope.Db.Set<SessionRow>().Where(row => row.Id == session && row.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, scope.Now), cancel);
        return default(Done);
    }
}
